"""How mail programs introduce what they quote, in the languages of the world. Data only; `quotes.py` uses it.

Every expression is matched against one line of bounded length, from its beginning or its end, so none can take more
than linear time.
"""

from __future__ import annotations

import re


def _any(words: str) -> str:
    """Alternatives, one a line or parted by "|", the longest first, so that none hides another."""
    found = {word.strip() for line in words.split("\n") for word in line.split("|") if word.strip()}
    return "|".join(sorted(found, key=lambda word: (-len(word), word)))


# How an attribution ends, or what stands in it before the name: "… wrote:", "… schrieb Ana:".
_WROTE = _any(
    """
    wrote|writes|sent|said|schrieb|schrieben|geschrieben|a écrit|a ecrit|nous a dit|escribió|escribio|escribiu
    escreveu|ha scritto|scrisse|schreef|het volgende geschreven|geschreven|a scris|scris|menulis|berkata|menulis pesan
    napisała|napisał|pisze|napsala|napsal|napísal|napísala|написала|написал|написав|написаў|пишет|пише|написа
    skrev|kirjoitti|şunu yazdı|yazdı|írta|ezt írta|έγραψε|je napisao|je napisala|napisao|napisala|piše|je napisal
    oseba napisala|написао|rašė|rakstīja|kirjutas|va escriure|escrigué|idatzi du|skrifaði|het geskryf|aliandika
    ay sumulat|isinulat|さんは書きました|さんが書きました|のメール|のメッセージ|写道|寫道|写到|写|님이 작성|작성
    님이 작성하였습니다
    đã viết|viết|เขียนว่า|เขียน|كتب|كتبت|כתב|כתבה|כתב/ה|נכתב|نوشت|ने लिखा|लिखा|লিখেছেন|shkroi
    """
)
WROTE_WORDS = tuple(_WROTE.split("|"))
WROTE_END = re.compile(rf"(?:{_WROTE})(?:\(\w{{1,2}}\))?(?:\s[^:：]{{1,80}})?\s*[:：]$", re.I)
# "On 5 June you wrote: …" is how people tell a story; a program names somebody.
PRONOUN_WROTE = re.compile(
    rf"\b(?:you|we|i|he|she|they|sie|ihr|du|ich|wir|er|vous|tu|je|il|elle|nous|usted|ustedes|tú|yo|lei|voi|io|u"
    rf"|jullie|ik"
    rf"|você|o senhor|anda|kamu|saya|kami|kalian|dumneavoastră|ați|am|вы|я|мы|ty|pan|pani|vy|ni|du)\s+(?:{_WROTE})\b"
    rf"|\b(?:{_WROTE})\s+(?:you|sie|ihr|du|ich|wir|er|u|ni|vi|jag|jeg|ik|jullie)\b",
    re.I,
)
# How it begins where no address stands in it: a preposition or a weekday before the date, or the date itself.
ON_START = re.compile(
    r"(?:-{2,} ?)?(?:(?:On|At|Am|Le|El|Il|Op|Em|A|No dia|În|In data|Pe|La|Pada|Pada tanggal|W dniu|Dnia|Dne|Dňa|Den|På"
    r"|Fecha|Datum|Ngày|Vào|Vào lúc|Noong|Tarehe|Vo|U|Dana|Dne|Em data de|Na)\s|В |Στις |На |У |בתאריך |في |در "
    r"|[A-Za-zśŚ]{2,4}\.?,? \d|\d{1,4}[./年년-]|\d{1,2} \w|在 ?\d)",
)
DATE_INSIDE = re.compile(r"\d(?:\d{3}|\d?[:.]\d\d|\d?[./-]\d{1,2}[./-]\d{2,4})")
# "26.06.2014, 14:41, "Name" <a@b.c>:" needs no verb: with a date it is an attribution in any language.
ADDRESS_INSIDE = re.compile(r"[<(\[]\s?(?:mailto:)?[^\s<>@()]{1,64}@[^\s<>@()]{1,190}[>)\]]")
DATED_ADDRESS = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b[^\n]{0,120}<[^\s<>@]{1,64}@[^\s<>@]{1,190}>$")

# Yahoo's program for phones puts the first words of the old text on the same line.
SAME_LINE = re.compile(r"[:：]\s{2,20}\S")

# "-----Original Message-----" and its kin; two or more dashes, underscores, equals signs or stars before it.
_ORIGINAL = _any(
    """
    original message|original e-?mail|original appointment|reply message|forwarded message|forwarded by|forwarded mail
    begin forwarded message|begin original message|original-nachricht|antwort nachricht|ursprüngliche nachricht
    ursprungliche nachricht|ursprüngliche e-?mail|originalnachricht|weitergeleitete nachricht|weitergeleitete e-?mail
    message d'origine|message d’origine|message original|message initial|message transféré|message réexpédié
    courriel original|e-?mail d'origine|mensaje original|mensaje reenviado|correo original|mensagem original
    mensagem encaminhada|mensagem reencaminhada|messaggio originale|messaggio inoltrato|oorspronkelijk bericht
    oorspronkelijke bericht|origineel bericht|doorgestuurd bericht|mesaj original|mesajul original|mesaj inițial
    mesaj redirecționat|mesaj redirectionat|mesaj transmis|pesan asli|pesan terusan|pesan diteruskan
    pesan yang diteruskan
    email asli|mesej asal|mesej dimajukan|wiadomość oryginalna|oryginalna wiadomość|oryginalny e-?mail
    wiadomość przekazana|przekazana wiadomość|původní zpráva|původní e-?mail|přeposlaná zpráva|pôvodná správa
    preposlaná správa|пересылаемое сообщение|исходное сообщение|оригинальное сообщение|пересланное сообщение
    перенаправленное сообщение|исходное письмо|вихідне повідомлення|оригінальне повідомлення|переслане повідомлення
    оригинално съобщение|препратено съобщение|оригинална порука|originalna poruka|izvorna poruka|proslijeđena poruka
    izvirno sporočilo|posredovano sporočilo|originalus laiškas|sākotnējais ziņojums|algne kiri|algne sõnum
    ursprungligt meddelande|originalmeddelande|ursprungligt mail|vidarebefordrat meddelande
    original meddelelse|oprindelig meddelelse|oprindelig besked|oprindelig mail
    videresendt meddelelse|videresendt besked|opprinnelig melding|opprinnelig e-post
    videresendt melding|alkuperäinen viesti|välitetty viesti|orijinal mesaj|orjinal mesaj|özgün ileti|iletilen mesaj
    iletilmiş mesaj|eredeti üzenet|továbbított üzenet|αρχικό μήνυμα|προωθημένο μήνυμα|missatge original|mesaxe orixinal
    jatorrizko mezua|オリジナルメッセージ|元のメッセージ|元のメール|転送メッセージ|转发的邮件|转发邮件|原始邮件|原邮件
    原始信件
    原始郵件|轉寄郵件|轉寄的郵件|원본 메시지|원본 메일|원본 이메일|전달된 메시지|전달된 메일|thư gốc|tin nhắn gốc
    thư đã chuyển tiếp|ข้อความต้นฉบับ|ข้อความที่ส่งต่อ|الرسالة الأصلية|رسالة محولة|رسالة معاد توجيهها|הודעה מקורית
    הודעה שהועברה|پیام اصلی|मूल संदेश|orihinal na mensahe
    """
)
SEPARATOR = re.compile(rf"[-_=*]{{2,60}}\s*(?:{_ORIGINAL})[^\n]{{0,120}}$", re.I)
# The same in a language that is not in the list: told by the header below it.
ANY_SEPARATOR = re.compile(r"[-_=*]{2,60}\s?[^\s\-_=*][^\n]{0,80}[-_=*]{2,60}$")
BEGIN_FORWARDED = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié"
    r"|début du message transféré|inicio del mensaje reenviado|inizio messaggio inoltrato"
    r"|início da mensagem reencaminhada"
    r"|início da mensagem encaminhada|begin doorgestuurd bericht|awal pesan terusan|mulai pesan terusan"
    r"|început mesaj redirecționat|početak proslijeđene poruke|początek przekazywanej wiadomości"
    r"|začátek přeposlané zprávy"
    r"|začátek přeposílané zprávy|начало переадресованного сообщения|початок листа, що пересилається"
    r"|vidarebefordrat brev|videresendt brev|iletilen ileti başlangıcı|továbbított levél kezdete"
    r"|välitetty viesti alkaa"
    r"|転送されたメッセージ|开始转发的邮件|以下是转发的邮件|開始轉寄郵件|전달된 메시지 시작"
    r"|bắt đầu thư được chuyển tiếp)\s?[:：]$",
    re.I,
)
RULE = re.compile(r"(?:_{20,}|-{20,}|={20,}|[—―─]{15,})$")

INVISIBLE = dict.fromkeys([0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
"""Direction marks and other characters without width, for `str.translate`: they stand around names and addresses."""

# The lines of a quoted header, by what they tell: who, when, to whom, about what.
_FROM = _any(
    """
    From|Von|De|De la|De către|Da|Van|Dari|Daripada|Od|От|Від|Ад|От кого|Från|Fra|Frá|Lähettäjä|Kimden|Gönderen|Feladó
    Από|差出人|送信者|发件人|發件人|寄件者|寄件人|보낸 사람|보낸사람|보낸이|Từ|จาก|من|מאת|מ|از|Expéditeur
    Remitente|Mittente
    Expeditor|Pengirim|Absender|Afzender|Nadawca|Odesílatel|Odosielateľ|Отправитель|Відправник|Saatja|Siuntėjas|Nuo
    No|Sūtītājs|Šalje|Pošiljatelj|Pošiljalac|प्रेषक|Mula sa|Kutoka
    """
)
_WHEN = _any(
    """
    Sent|Date|Received|Gesendet|Datum|Envoyé|Envoyé le|Enviado|Enviado el|Fecha|Enviada em|Enviado em|Enviada|Data
    Inviato|Verzonden|Trimis|Trimisă|Trimis la|Dată|Data trimiterii|Dikirim|Tanggal|Terkirim|Dihantar|Tarikh|Wysłano
    Wysłane|Odesláno|Odoslané|Dátum|Отправлено|Дата|Надіслано|Адпраўлена|Skickat|Sendt|Dato|Lähetetty|Päivämäärä
    Päiväys|Gönderildi|Gönderilme|Gönderilen|Tarih|Küldve|Elküldve|Στάλθηκε|Ημερομηνία|送信日時|日時|日付
    发送时间|發送時間
    日期|傳送時間|寄件日期|보낸 날짜|날짜|보낸 시간|Đã gửi|Ngày|Ngày gửi|Gửi|ส่ง|ส่งแล้ว|วันที่|تم الإرسال
    تاريخ الإرسال|إرسال
    التاريخ|נשלח|תאריך|فرستاده شده|تاریخ|भेजा गया|दिनांक|Ipinadala|Изпратено|Poslano|Poslato|Saadetud|Išsiųsta|Nosūtīts
    Enviat|Sent on|Sent at
    """
)
_TO = _any(
    """
    To|Cc|Bcc|Copy|Reply-To|An|À|Para|A|Aan|Către|Catre|Kepada|Untuk|Ke|Do|DW|Komu|Кому|Копия|Копія|Till|Kopia|Til|Kopi
    Vastaanottaja|Kopio|Kime|Bilgi|Címzett|Másolatot kap|Προς|Κοιν|宛先|收件人|收件者|抄送|副本|받는 사람
    받는사람|참조|Đến|Tới
    ถึง|สำเนา|إلى|نسخة|אל|עותק|به|प्रति|Para sa|До|Za|Prima|Kam|Adressaat|Iki|Gavėjas|Per a|Copie à|Copia|Cópia|Kopie
    Tembusan|Salinan|Antwort an|Répondre à|Responder a|Rispondi a|Importance|Priority|Attachments|Organization
    Wichtigkeit|Anlagen|Organisation|Pièces jointes|Adjuntos|Anexos|Allegati|Atașări|Lampiran
    """
)
_SUBJECT = _any(
    """
    Subject|Betreff|Betrifft|Objet|Sujet|Asunto|Assunto|Oggetto|Onderwerp|Subiect|Perihal|Subjek|Hal|Subyek|Judul|Temat
    Předmět|Predmet|Тема|Ämne|Emne|Efni|Aihe|Otsikko|Konu|Tárgy|Θέμα|件名|主题|主題|主旨|제목|Chủ đề|Tiêu đề
    เรื่อง|หัวเรื่อง
    الموضوع|נושא|הנדון|موضوع|विषय|Paksa|Относно|Zadeva|Naslov|Teema|Tema|Tēma|Assumpte|Gaia
    """
)
FROM_LINE = re.compile(rf"\*{{0,2}}(?:{_FROM})\*{{0,2}}\s?[:：]", re.I)
WHEN_LINE = re.compile(rf"\*{{0,2}}(?:{_WHEN})\*{{0,2}}\s?[:：]", re.I)
TO_LINE = re.compile(rf"\*{{0,2}}(?:{_TO})\*{{0,2}}\s?[:：]", re.I)
SUBJECT_LINE = re.compile(rf"\*{{0,2}}(?:{_SUBJECT})\*{{0,2}}\s?[:：]", re.I)

# A header that a program has made one line of.
HEADER_IN_ONE = re.compile(
    r"(?:From|Date|Sent): [^\n]{1,120}?\b(?:From|To|Date|Sent): [^\n]{1,120}?\b(?:To|Date|Subject): "
)

# What people write above a history into which they have put their answers.
SEE_BELOW = re.compile(
    r"\b(?:see (?:my |our |the )?(?:answers?|comments?|replies|responses?|notes?|below|inline)|(?:answers?"
    r"|comments?|replies"
    r"|responses?) (?:are |is )?(?:below|inline|in (?:red|blue|green|bold))|inline below|below in (?:red|blue"
    r"|green|bold)"
    r"|siehe unten|in rot|rot markiert|weiter unten|antworten (?:unten|im text)|ci-dessous|en rouge|dans le texte"
    r"|más abajo|en rojo|ver abajo|qui sotto|di seguito|in rosso|vedi sotto|zie hieronder|in het rood|abaixo"
    r"|em vermelho"
    r"|mai jos|cu roșu|cu rosu|lihat di bawah|jawaban (?:saya )?di bawah|warna merah|zobacz poniżej|na czerwono"
    r"|poniżej"
    r"|viz níže|červeně|смотрите ниже|см\. ниже|ниже красным|se nedan|i rött|se nedenfor|med rødt|katso alta|aşağıda"
    r"|kırmızı)\b|下記|以下の通り|赤字|見下方|如下|红色|아래",
    re.I,
)
