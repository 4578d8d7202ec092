"""Whether a text is written in a language: by its script first, then by the small words of those that share one.

Needs some ten words to tell close neighbours apart (Danish and Norwegian, Spanish and Portuguese). A text with none of
the small words, or no words at all, is not told to be in another language: nothing speaks against the wanted one.
"""

from __future__ import annotations

import re
from collections import Counter

from distillery.verify.language import language_share, scripts_of

MIN_SHARE = 2 / 3  # of the words, in the language's script; names and terms keep theirs

_SMALL_WORDS = {
    "en": "the of and to in is that it for was with as on are be this by you at have not or from but they we your i",
    "es": "de la que el en y los se del las un por con una para es al lo como más su pero sus le ya este porque esta muy sin sobre",
    "pt": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem seu sua ou ser você pelo pela isso são",
    "fr": "de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec vous je nous elle ou mais aux cette être ces d l c",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an aus er hat dass sie nach wird bei um sind wie ich wir",
    "it": "di e che la il un a per è una in sono non ma lo ha le si i con se io come da del della delle dei nel alla gli anche più questo l",
    "pl": "w i na z do się nie to że jest o jak po co ale od za przez dla są tak być może czy jego lub oraz które który tym",
    "nl": "de van een het en in is dat op te zijn voor met die niet aan er om ook als dan maar bij nog uit door over ik je wordt heeft",
    "sv": "och att det i som en på är av för med den till inte har de ett om var jag men så vi från kan när eller ska",
    "da": "og at det i en den til er som på de med for af ikke der et har om jeg var men han sig fra eller vi kan skal blev efter",
    "nb": "og i det som en på er av for med at til den har de ikke et om jeg var men han seg fra eller vi kan skal ble etter ut",
    "fi": "ja on ei se että hän oli mutta ovat kun joka myös tai jos niin sen ole kuin mitä tämä voi olla sekä hänen minä",
    "vi": "và của là có được không cho các trong một những với này người để khi đã tôi bạn ở từ về như đó",
    "sw": "ya na wa kwa ni katika la za cha kuwa hii hiyo yake pia lakini au kama yao watu huu sana kila wake vya si",
    "tr": "ve bir bu da de için ile çok ne ben daha gibi var kadar sonra olarak o olan değil ama mi her en",
    "id": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena bisa ada adalah oleh atau mereka kita anda",
    "ro": "de și în la a cu pe nu este o un că care din pentru mai se sunt au fost ca sau să lui prin al ale",
    "hu": "a az és hogy nem is egy van ez meg csak de volt mint vagy ha már még kell azt el lehet ami",
    "cs": "a v se na je že to s z do i o ale za jako by po jsem pro k byl jsou které který jak ve nebo",
    "ru": "и в не на я что с он как это по но из у к то за от так для о же бы был вы мы или его",
    "uk": "і в не на що я з у та до як це за від але по він ми для про так чи був є або його ви також",
    "bg": "и на да в се за от не с е че по като са до това при или ще със който той как но си може",
    "sr": "и у је да се на за од су не са то као који али о би или што",
    "ar": "في من على إلى أن هذا التي الذي عن مع كان لا هذه ما هو ذلك أو هي قد بين كل كما لم بعد",
    "fa": "و در به از که این را با است آن برای یک خود تا بر هم نیز می شود کرد اما یا هر شده",
    "ur": "کے کی میں ہے اور سے کا کو اس یہ نے پر ہیں کہ نہیں ایک بھی تھا کر گیا",
    "hi": "के में है की और से का को ने यह पर हैं भी नहीं एक कि इस था हो लिए कर",
    "mr": "आहे आणि या ते व हे की एक नाही मध्ये होते तर ही आहेत त्या हा करून साठी",
    "ne": "र छ को मा हो यो पनि ले छन् लागि गर्न थियो भएको गरेको एक छैन हुन्छ तथा",
}
_LETTERS = {  # that of all languages above only this one has, or hardly another
    "es": "ñ¿¡", "pt": "ãõ", "fr": "œùû", "de": "ß", "pl": "łąęńśź", "cs": "ěřů", "hu": "őű", "ro": "șță",
    "tr": "ğış", "vi": "ơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "ru": "ыэё", "uk": "іїєґ", "bg": "ъ",
    "sr": "јљњћђџ", "ar": "ةىكي", "fa": "ژ", "ur": "ٹڈڑںےہ", "mr": "ळ",
}  # fmt: skip
_ALONE = ("zh", "ja", "ko", "bn", "el", "he", "ta", "te", "th", "kn", "gu", "pa", "ml")  # by their scripts
_GAP = re.compile(r"[\s\d.,;:!?()\[\]{}<>\"“”„«»…।،؛؟۔*_#/|\\'’`~=+—–-]+")

LANGUAGES = frozenset({*_SMALL_WORDS, *_ALONE})
_PROFILES = {
    code: (frozenset(words.split()), frozenset(_LETTERS.get(code, "")))
    for code, words in _SMALL_WORDS.items()
}


def is_in(text: str, language: str) -> bool:
    """`language` is one of LANGUAGES, with or without a region ("zh-cn")."""
    code = language.lower().partition("-")[0]
    share = language_share(text, code)
    if share is None:  # nothing but code, or no words at all
        share = language_share(text.replace("```", " "), code)
    if share is None:
        return True
    return share >= MIN_SHARE and (code in _ALONE or _speaks_for(text, code))


def _speaks_for(text: str, code: str) -> bool:
    """Whether no other language of the same script has more of its small words and letters in the text."""
    counts = Counter(_GAP.split(text.lower()))
    hits = {
        other: sum(number for word, number in counts.items() if word in words or not letters.isdisjoint(word))
        for other, (words, letters) in _PROFILES.items()
        if scripts_of(other) == scripts_of(code)
    }
    return hits[code] == max(hits.values())
