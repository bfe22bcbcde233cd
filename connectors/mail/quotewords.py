"""How mail programs introduce what they quote, in the languages of the world. Data only; `quotes.py` uses it.

Every expression is matched against one line of bounded length, from its beginning or its end, so none can take more
than linear time.
"""

from __future__ import annotations

import re

# How an attribution ends: "… wrote:". Beside English: German, French, Spanish, Italian, Dutch, Portuguese, Romanian,
# Indonesian and Malay, Polish, Czech and Slovak, Russian, Ukrainian, Swedish, Norwegian, Danish, Finnish, Turkish,
# Hungarian, Greek, Bulgarian, Croatian, Japanese, Chinese, Korean, Vietnamese, Thai, Arabic, Hebrew, Persian.
_WROTE = (
    r"wrote|writes|sent|said|schrieb|geschrieben|a écrit|a ecrit|escribió|escribio|escribiu|escreveu|ha scritto|scrisse"
    r"|schreef|het volgende geschreven|a scris|menulis|berkata|napisała|napisał|pisze|napsala|napsal|napísal|napísala"
    r"|написала|написал|написав|пишет|пише|skrev|kirjoitti|şunu yazdı|yazdı|írta|έγραψε|je napisao|je napisala|piše"
    r"|さんは書きました|のメール|写道|寫道|写到|님이 작성|đã viết|เขียนว่า|كتب|כתב|כתבה|נכתב|نوشت"
)
WROTE_END = re.compile(rf"(?:{_WROTE})(?:\(\w{{1,2}}\))?(?:\s[^:：]{{1,80}})?\s*[:：]$", re.I)
WROTE_BETWEEN_DASHES = re.compile(rf"-{{2,}}[^\n]{{1,300}}(?:{_WROTE})\s*-{{2,}}$", re.I)
# How it begins where no address stands in it: a preposition or a weekday before the date, or the date itself.
ON_START = re.compile(
    r"(?:-{2,} ?)?(?:(?:On|At|Am|Le|El|Il|Op|Em|No dia|În|In data|Pe|La|Pada|W dniu|Dne|Dňa|Den|På)\s|В |Στις "
    r"|На |Dana |Vào "
    r"|[A-Za-zśŚ]{2,4}\.?,? \d|\d{1,4}[./年년-]|\d{1,2} \w)",
)
DATE_INSIDE = re.compile(r"\d{4}|\d{1,2}[:.]\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
# "26.06.2014, 14:41, "Name" <a@b.c>:" needs no verb: with a date it is an attribution in any language.
ADDRESS_INSIDE = re.compile(r"[<(\[]\s?(?:mailto:)?[^\s<>@()]{1,64}@[^\s<>@()]{1,190}[>)\]]")
DATED_ADDRESS = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b[^\n]{0,120}<[^\s<>@]{1,64}@[^\s<>@]{1,190}>$")

# "-----Original Message-----" and its kin; three or more dashes, underscores or equals signs.
SEPARATOR = re.compile(
    r"[-_=*]{2,60}\s*(?:original message|antwort nachricht|original appointment|forwarded message|forwarded by"
    r"|begin forwarded message"
    r"|reply message|ursprüngliche nachricht|ursprungliche nachricht|originalnachricht|weitergeleitete nachricht"
    r"|message d'origine|message d’origine|message original|message transféré|mensaje original|mensaje reenviado"
    r"|mensagem original|mensagem encaminhada|messaggio originale|messaggio inoltrato|oorspronkelijk bericht"
    r"|doorgestuurd bericht|mesaj original|mesajul original|mesaj redirecționat|mesaj redirectionat|pesan asli"
    r"|pesan terusan|pesan diteruskan|mesej asal|wiadomość oryginalna|oryginalna wiadomość|wiadomość przekazana"
    r"|původní zpráva|пересылаемое сообщение|исходное сообщение|оригинальное сообщение|пересланное сообщение"
    r"|ursprungligt meddelande|original meddelelse|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti"
    r"|orijinal mesaj|özgün ileti|iletilen mesaj|eredeti üzenet|αρχικό μήνυμα|オリジナルメッセージ|元のメッセージ"
    r"|转发的邮件|原始邮件|原始郵件|轉寄郵件|원본 메시지|전달된 메시지|thư gốc|الرسالة الأصلية|הודעה מקורית)"
    r"[^\n]{0,120}$",
    re.I,
)
BEGIN_FORWARDED = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|awal pesan terusan)\s*:$",
    re.I,
)
RULE = re.compile(r"(?:_{20,}|-{20,}|={20,})$")

# The names of header lines in a quoted block: From, then Sent/Date, To, Subject, Cc.
FROM_LINE = re.compile(
    r"\*?(?:From|Von|De|De la|De către|Da|Van|Dari|Daripada|Od|От|Від|От кого|Från|Fra|Lähettäjä|Kimden|Gönderen|Feladó"
    r"|Από|Από|差出人|送信者|发件人|寄件者|寄件人|보낸 사람|보낸사람|Từ|จาก|من|מאת|מ|از|Expéditeur|Remitente"
    r"|Mittente|Expeditor|Pengirim)"
    r"\*?\s?[:：]\*?\s?\S",
    re.I,
)
OTHER_LINE = re.compile(
    r"\*?(?:Sent|Date|To|Subject|Cc|Gesendet|Datum|An|Betreff|Envoyé|Envoyé le|À|Objet|Enviado|Enviado el|Fecha|Para"
    r"|Asunto|Enviada em|Enviada|Data|Assunto|Inviato|A|Oggetto|Verzonden|Aan|Onderwerp|Trimis|Trimisă|Dată|Către|Catre"
    r"|Subiect|Dikirim|Tanggal|Terkirim|Kepada|Untuk|Perihal|Subjek|Hal|Subyek|Wysłano|Wysłane|Do|Temat|Odesláno|Komu"
    r"|Předmět|Отправлено|Дата|Кому|Тема|Копия|Надіслано|Skickat|Till|Ämne|Sendt|Til|Emne|Lähetetty|Vastaanottaja"
    r"|Aihe|Gönderildi|Tarih|Kime|Konu|Küldve|Címzett|Tárgy|Στάλθηκε|Προς|Θέμα|送信日時|日時|宛先|件名|发送时间"
    r"|日期|收件人"
    r"|主题|傳送時間|收件者|主旨|보낸 날짜|날짜|받는 사람|제목|Đã gửi|Ngày|Đến|Chủ đề|Ke|ถึง|วันที่|إلى|التاريخ"
    r"|الموضوع|נשלח|אל|נושא)"
    r"\*?\s?[:：]\*?\s?",
    re.I,
)

MOBILE = re.compile(
    r"(?:sent (?:from|via|with|using) (?:my |the |a )?[^\n]{1,80}|get outlook for (?:ios|android)[^\n]{0,80}"
    r"|von (?:meinem|mir)[^\n]{1,40}(?:gesendet|geschickt)|gesendet (?:von|mit)[^\n]{1,60}|envoyé (?:de|depuis"
    r"|à partir)[^\n]{1,60}"
    r"|enviado (?:desde|do|de|via)[^\n]{1,60}|inviato (?:da|dal)[^\n]{1,60}|(?:verzonden|verstuurd) (?:vanaf"
    r"|met|van)[^\n]{1,60}"
    r"|trimis (?:de pe|din|cu|prin)[^\n]{1,60}|dikirim (?:dari|melalui|lewat)[^\n]{1,60}|terkirim dari[^\n]{1,60}"
    r"|wysłane z[^\n]{1,60}|odesláno z[^\n]{1,60}|отправлено (?:с|из)[^\n]{1,60}|skickat från[^\n]{1,60}"
    r"|sendt fra[^\n]{1,60}|lähetetty[^\n]{1,60}|iphone'umdan gönderildi|iphone'dan gönderildi"
    r"|(?:iphone|ipad|android)から送信|从我的 ?(?:iphone|ipad)[^\n]{0,20}发送|发自我的[^\n]{1,30}|나의 iphone에서 보냄"
    r"|yahoo mail[^\n]{0,60}|outlook[^\n]{0,10} (?:for|für|pour|para|untuk|pentru) (?:ios|android)[^\n]{0,40})\.?$",
    re.I,
)
LIST_FOOTER = re.compile(
    r"mailing list|unsubscribe|you received this message because|mailman|listinfo|google group|diskussionsliste"
    r"|liste de diffusion|berhenti berlangganan|dezabon|abmelden|_______________",
    re.I,
)
DISCLAIMER = re.compile(
    r"(?:confidentiality notice|disclaimer|legal notice|notice of confidentiality|avis de confidentialité"
    r"|aviso legal|this (?:e-?mail|message|communication)\b[^\n]{0,100}(?:confidential|privileged"
    r"|intended (?:only|solely))"
    r"|the information (?:contained )?in this (?:e-?mail|message)|diese e-?mail enthält vertrauliche"
    r"|ce (?:message|courriel)[^\n]{0,80}confidentiel|acest (?:mesaj|e-?mail)[^\n]{0,80}confiden"
    r"|(?:e-?mail|pesan) ini[^\n]{0,80}(?:rahasia|dimaksudkan))",
    re.I,
)
