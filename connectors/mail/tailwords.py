"""What stands at the end of a mail without being said to anybody: lines of programs, lists, lawyers and scanners.

Data only; `tails.py` uses it. Every expression sees one line or one paragraph of bounded length.
"""

from __future__ import annotations

import re


def _words(table: str) -> tuple[str, ...]:
    """Words, parted by "|" or lines, to be looked for in lower case. Searching each is faster than one expression."""
    return tuple(dict.fromkeys(word.strip() for line in table.split("\n") for word in line.split("|") if word.strip()))


# "Sent from my iPhone" and its kin: how such a line begins or ends, and what it speaks of. Both must be there, because
# "sent from Bogor yesterday" is news.
MOBILE_LINE = re.compile(
    r"[(<]{0,2}(?:sent (?:from|via|with|using|by)|from my|via mobile|get outlook for|von meinem|von meiner"
    r"|von unterwegs"
    r"|diese nachricht wurde von mein|gesendet (?:von|mit|über|aus)|holen sie sich outlook|hol dir outlook|outlook für"
    r"|envoyé (?:de|depuis|à partir|via|avec)|(?:télécharger|obtenir|obtenez) outlook"
    r"|enviado (?:desde|do|de|da|a partir|via|pelo|con)|enviada do|(?:obtener|obtén|descargar) outlook"
    r"|(?:obter|obtenha|baixe|baixar) (?:o )?outlook|inviato (?:da|dal|dall|con)|(?:scarica|ottieni) outlook"
    r"|(?:verzonden|verstuurd) (?:vanaf|vanuit|met|van|via)|outlook voor|trimis (?:de pe|de la|din|cu|prin|de)"
    r"|(?:obțineți|descărcați|obtineti) outlook|dikirim (?:dari|melalui|lewat|menggunakan|dengan)"
    r"|terkirim (?:dari|melalui)|(?:dapatkan|unduh) outlook|dihantar (?:daripada|dari|melalui)"
    r"|wysłan[eoy] (?:z|ze|za pomocą|przy użyciu)|pobierz (?:program )?outlook|odesláno (?:z|ze|pomocí)"
    r"|odoslané (?:z|zo|pomocou)|získa(?:t|jte) outlook|отправлено (?:с|из|со|через)|скач(?:ать|айте) outlook"
    r"|надіслано (?:з|із|зі|через)|изпратено от|skickat från|hämta outlook|sendt (?:fra|via|med)|hent outlook"
    r"|få outlook|lähetetty|hanki outlook|(?:android|ios) için outlook|küldve|εστάλη από|στάλθηκε από"
    r"|poslano (?:s|sa|z|iz)|poslato (?:sa|s)|(?:đã |được )?gửi từ|tải outlook|ส่งจาก|أ\u064f?رسلت من|أ\u064f?رسل من"
    r"|تم الإرسال من|נשלח מ|ارسال شده از|enviat des|获取适用于|發自我|发自我|发自|[从從]我|yahoo mail|yahoo ?メール"
    r"|outlook (?:for|für|pour|para|untuk|pentru|voor|per|dla|til|för) |someone from mobile)"
    r"|[^\n]{0,60}(?:gönderildi|から送信|から送信されました|[发發傳]送|에서 보냄|を入手|küldve)[.。]?$",
    re.I,
)
DEVICES = _words(
    """
    iphon|phone|ipad|ipod|android|samsung|galaxy|xiaomi|redmi|oppo|vivo|huawei|honor|pixel|nokia|sony|xperia
    motorola|htc
    alcatel|blackberry|windows|outlook|mail|yahoo|proton|spark|thunderbird|k-9|telefon|téléphone|teléfono
    telepon|ponsel
    handy|smartphone|mobil|móvil|celular|cell|tablet|device|dispositiv|perangkat|gerät|appareil|urządz|zařízen|zariaden
    устройств|телефон|пристро|cihaz|aplik|laptop|from my|手机|手機|スマート|휴대|هاتف|נייד|טלפון|ti-85
    điện thoại|มือถือ
    """
)
LIST_WORDS = _words(
    """
    mailing list|unsubscribe|you received this message because|mailman|listinfo|google group|diskussionsliste
    mailingliste|liste de diffusion|lista de correo|lista de discussão|lista di discussione|milis|berhenti berlangganan
    dezabon|abmelden|se désabonner|désinscri|darse de baja|afmelden|wypisz|отписаться|_______________
    """
)

# --- Lawyers, scanners, trees ---------------------------------------------------------------------------------------

LEGAL_TITLE = re.compile(
    r"[*_ ]*(?:(?:confidentiality|legal|privacy|important) (?:notice|note|statement|information|disclaimer)\b"
    r"|notice of confidentiality|e-?mail disclaimer|disclaimer\s*[:*]?$|disclaimer:|confidentiality:"
    r"|vertraulichkeitshinweis"
    r"|haftungsausschluss|rechtlicher hinweis|wichtiger hinweis:|avis de confidentialité|avis juridique|clause de"
    r" confidentialité|aviso legal|aviso de confidencialidad|aviso de confidencialidade|cláusula de confidencialidad"
    r"|avviso di riservatezza|nota di riservatezza|informativa (?:sulla )?privacy|vertrouwelijkheidsverklaring"
    r"|notă de confidențialitate|nota de confidentialitate|aviz de confidențialitate|clauză de confidențialitate"
    r"|pernyataan kerahasiaan|penafian|pemberitahuan kerahasiaan|sanggahan|klauzula poufności|zastrzeżenie prawne"
    r"|upozornění o důvěrnosti|уведомление о конфиденциальности|конфиденциальность:|sekretessmeddelande"
    r"|gizlilik bildirimi|yasal uyarı|免責事項|免责声明|保密声明|機密保持|기밀 유지)",
    re.I,
)
# A paragraph that names mail, whom it is for, and that it is secret (two of the three are what anybody may write).
MAIL_WORDS = _words(
    """
    email|e-mail|message|communication|transmission|nachricht|courriel|correo|mensaje|mensagem|messaggio|comunicazione
    bericht|mesaj|pesan ini|surat elektronik|wiadomoś|zpráv|správ|сообщени|письм|повідомлен|meddelande
    meddelelse|melding|e-post
    viesti|sähköposti|ileti|üzenet|levél|μήνυμα|メール|邮件|郵件|电邮|메일|메시지|thư|رسال|بريد|הודע|דוא|poruk
    sporočil|съобщени
    emel ini
    """
)
RECIPIENTS = _words(
    """
    intended only|intended solely|intended exclusively|intended recipient|intended addressee|intended for|addressee
    for the use of|for the sole use|received this in error|received it in error|in error, please|by mistake, please
    received this e-mail in error|received this email in error|received this message in error
    received this communication in error|nur für den|nur für die|ausschließlich für|adressat|vorgesehene empfänger
    vorgesehenen empfänger|richtige empfänger|irrtümlich|destinataire|destiné exclusivement
    destinée exclusivement|par erreur
    destinatario|destinatari|por error|por engano|destinatário|per errore|geadresseerde|uitsluitend bestemd
    abusievelijk
    per abuis|destinatarul|destinatarului|din greșeală|din eroare|din greseala|penerima yang dituju
    penerima yang dimaksud
    bukan penerima|hanya ditujukan|ditujukan hanya|ditujukan khusus|dimaksudkan untuk|dimaksudkan hanya
    tidak sengaja menerima
    adresat|omyłkowo|omylem|příjemc|príjemc|адресат|получател|по ошибке|одержувач|помилково|mottagare|avsedd|av misstag
    modtager|mottaker|ved en fejl|vastaanottaj|alıcı|yanlışlıkla|címzett|tévedés|παραλήπτ|受信者|宛先|名宛人
    誤って|收件人
    收件者|误收|誤收|수신인|수신자|잘못|người nhận|nhầm|المرسل إليه|بالخطأ|נמען|בטעות|primatelj|naslovnik
    pomotom|погрешка
    penerima yang dimaksudkan|tersilap
    """
)
SECRETS = _words(
    """
    confiden|privileged|proprietary|legally protected|vertraulich|geschützt|rahasia|riservat|vertrouwelijk|poufn|důvěrn
    dôvern|конфиденц|конфіденц|поверител|konfidenti|fortrolig|luottamuksel|gizli|bizalmas|εμπιστευτικ|機密|秘密
    保密|机密
    기밀|비밀|bảo mật|bí mật|سري|סודי|חסוי|povjerljiv|zaupn|delete|destroy|löschen|vernichten|supprimer
    détruire|eliminar|borrar
    bórr|cancell|verwijder|vernietig|ștergeți|stergeti|hapus|usunię|smažte|vymaž|удалит|видаліть|radera|adalah sulit
    """
)
GREEN_OR_SCANNED = re.compile(
    r"[^\w\n]{0,4}(?:(?:please )?(?:consider|think (?:of|about)) the environment|(?:save|think) (?:a tree|paper)"
    r"|bitte (?:denken|prüfen) sie[^\n]{0,40}(?:umwelt|druck)|(?:pensez|merci de penser) à l.environnement"
    r"|(?:antes de imprimir|piense en el medio ambiente|pense no (?:meio )?ambiente)|prima di stampare"
    r"|pensa all.ambiente"
    r"|denk aan het milieu|(?:gândiți-vă|ganditi-va) la mediu|protejați mediul|protejati mediul"
    r"|(?:mohon )?pertimbangkan"
    r" lingkungan|selamatkan (?:pohon|lingkungan)|zanim wydrukujesz|pomyśl o środowisku|než vytisknete|подумайте об"
    r"|tänk på miljön|tenk på miljøet|tænk på miljøet|çevreyi|virus-?free|virenfrei|garanti sans virus|libre de virus"
    r"|mail priva di virus|livre de vírus|virusvrij|fără viruși|fara virusi|bebas virus|wolny od wirusów|bez virů"
    r"|без вирусов|virusfri|scanned by|this (?:e-?mail|message) (?:has been|was) (?:checked|scanned)"
    r"|diese e-?mail wurde (?:von|auf)|cet e-?mail a été (?:vérifié|analysé)|este (?:correo|mensaje)[^\n]{0,40}virus"
    r"|email ini (?:telah )?(?:dipindai|diperiksa)|acest e-?mail a fost (?:verificat|scanat))",
    re.I,
)

# --- Who signs ------------------------------------------------------------------------------------------------------

CLOSING = re.compile(
    r"(?:mit |viele |beste |liebe |freundliche|herzliche|schöne grüße|best|kind|warm|with |regards|sincerely|yours"
    r"|cheers|thanks|thank you|many thanks|cordialement|bien à|bien cordialement|salutations|sincères|saludos|un saludo"
    r"|atentamente|cordiali|distinti|saluti|un cordiale|grazie|met |hartelijke|vriendelijke|groeten|atenciosamente|att"
    r"|cumprimentos|abraço|obrigad|pozdrawiam|z poważaniem|s pozdravem|s úctou|cu stimă|cu stima|cu respect|o zi bun"
    r"|mulțumesc|multumesc|hormat|salam|terima kasih|с уважением|з повагою|med vän|vänliga|mvh|med ven|venlig|vennlig"
    r"|hilsen|ystävällisin|terveisin|saygılarımla|iyi |üdvözlettel|tisztelettel|με εκτίμηση|поздрави|lp\b|s poštovanjem"
    r"|lijep|敬具|以上|此致|祝|谢谢|謝謝|감사|드림|trân trọng|مع |שלום|בברכה)",
    re.I,
)
LABELLED = re.compile(
    r"(?:t|m|f|p|e|w|tel|tél|phone|mobile|mob|cell|fax|direct|office|telefon|telepon|telp|hp|whatsapp|wa|skype"
    r"|handy|mobil"
    r"|mail|e-?mail|web|website|www|url|тел|моб|電話|电话|手机|전화|telegram|line|linkedin|instagram|ig"
    r"|facebook|fb|twitter)"
    r"\s?[.:|：]\s?\S",
    re.I,
)
PHONE = re.compile(r"(?:\+|00|\(?0)\d[\d ()/.\-]{6,20}\d|\(\d{2,5}\) ?\d{3}[\d \-]{3,10}|\b\d{3}[-.]\d{3}[-.]\d{4}\b")
ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,190}")
SITE = re.compile(r"(?:https?://|www\.)\S{3,300}|\b[a-z0-9-]{2,40}\.(?:com|org|net|co\.id|id|ro|de|eu|fr|io)\b", re.I)
SHORT_RULE = re.compile(r"(?:-{3,60}|_{3,60}|={3,60}|\*{3,60}|~{3,60}|[—―─–]{2,60}|[━═＝＿]{3,60}|#{3,60})$")
