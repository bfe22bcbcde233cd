"""Templates of the demo's shop, in its three languages."""

from __future__ import annotations

from datetime import datetime

from inbox.models import ReplyTemplate
from inbox.templates import create, write_version

_HELLO = {
    "en": "Hello {{ customer.first_name }},",
    "id": "Halo {{ customer.first_name }},",
    "ro": "Bună ziua, {{ customer.first_name }},",
}
_BYE = {
    "en": "Kind regards,\n{{ agent.name }}\n{{ organisation.name }}",
    "id": "Salam hangat,\n{{ agent.name }}\n{{ organisation.name }}",
    "ro": "Cu drag,\n{{ agent.name }}\n{{ organisation.name }}",
}

_TEXTS: dict[tuple[str, str], dict[str, str]] = {
    ("Parcel on its way", "parcel"): {
        "en": "thank you for asking. Your parcel left us and is with the carrier. As soon as it moves again I will "
        "write to you, without your having to ask.",
        "id": "terima kasih sudah bertanya. Paket Anda sudah kami kirim dan sedang dibawa kurir. Begitu ada kabar, "
        "saya akan langsung menghubungi Anda.",
        "ro": "vă mulțumim pentru mesaj. Coletul a plecat de la noi și este la curier. De îndată ce aflu mai mult, "
        "vă scriu eu, fără să mai fie nevoie să întrebați.",
    },
    ("Return and refund", "return"): {
        "en": "you can send it back within 30 days. Put the attached slip into the parcel; the money is back on your "
        "account within five working days after it reaches us.",
        "id": "barang dapat dikembalikan dalam 30 hari. Masukkan formulir terlampir ke dalam paket; uang Anda kembali "
        "paling lambat lima hari kerja setelah paket kami terima.",
        "ro": "îl puteți returna în 30 de zile. Puneți formularul alăturat în colet; banii se întorc în contul "
        "dumneavoastră în cel mult cinci zile lucrătoare de la primire.",
    },
    ("Damaged on arrival", "damaged"): {
        "en": "I am sorry that it arrived broken. A photo of the damage is all I need; a new one then leaves us the "
        "same day, and you keep the old one.",
        "id": "mohon maaf barangnya tiba dalam keadaan rusak. Cukup kirim satu foto kerusakannya; penggantinya kami "
        "kirim hari itu juga dan barang lama boleh Anda simpan.",
        "ro": "îmi pare rău că a ajuns spart. Am nevoie doar de o fotografie; unul nou pleacă în aceeași zi, iar pe "
        "cel vechi îl puteți păstra.",
    },
    ("Invoice", "invoice"): {
        "en": "your invoice is attached. If the name or the tax number should be different, send me the right one and "
        "I will write it again.",
        "id": "faktur Anda terlampir. Bila nama atau NPWP perlu diubah, kirimkan data yang benar dan akan saya buatkan "
        "yang baru.",
        "ro": "factura este atașată. Dacă numele sau codul fiscal trebuie schimbat, trimiteți-mi datele corecte și o "
        "refac.",
    },
    ("One question more", "question"): {
        "en": "so that I can help at once: which order is it about? The number stands in the subject of our first "
        "mail.",
        "id": "supaya bisa langsung saya bantu: pesanan yang mana? Nomornya ada di judul surel pertama kami.",
        "ro": "ca să vă pot ajuta imediat: despre ce comandă este vorba? Numărul este în subiectul primului nostru "
        "mesaj.",
    },
    ("Thank you", "thanks"): {
        "en": "thank you for your kind words. I have passed them on to everybody here.",
        "id": "terima kasih atas kata-kata baiknya. Sudah saya sampaikan kepada semua di sini.",
        "ro": "vă mulțumim pentru cuvintele frumoase. Le-am transmis tuturor colegilor.",
    },
}


def seed_demo_templates(now: datetime) -> None:
    """Does nothing where a template of the same name is known."""
    for (name, shortcut), texts in _TEXTS.items():
        if ReplyTemplate.objects.filter(name=name).exists():
            continue
        template = create(name, "balas", now, shortcut=shortcut)
        for language, text in texts.items():
            body = f"{_HELLO[language]}\n\n{text}\n\n{_BYE[language]}"
            write_version(template, "balas", now, language=language, body=body)
