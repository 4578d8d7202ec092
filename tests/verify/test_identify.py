import gzip
import json
from pathlib import Path

import pytest

from distillery.verify.identify import (
    code_of,
    foreign_stretches,
    is_known,
    language_of,
    named_in,
)
from distillery.verify.prose import prose

SENTENCES = {
    "de": "Zuerst addieren wir die beiden Zahlen und teilen das Ergebnis danach durch die Anzahl der Tage.",
    "fr": "Nous devons d'abord additionner les deux nombres puis diviser le résultat par le nombre de jours.",
    "es": "Primero tenemos que sumar los dos números y después dividir el resultado entre los días.",
    "it": "Prima dobbiamo sommare i due numeri e poi dividere il risultato per il numero dei giorni.",
    "nl": "Eerst moeten we de twee getallen optellen en daarna het resultaat door het aantal dagen delen.",
    "pl": "Najpierw musimy dodać te dwie liczby, a potem podzielić wynik przez liczbę dni.",
    "ru": "Сначала нужно сложить два числа, а потом разделить результат на количество дней.",
    "uk": "Спочатку треба додати два числа, а потім поділити результат на кількість днів.",
    "zh": "首先把两个数相加，然后除以天数。",
    "ja": "まず二つの数を足して、それから日数で割ります。",
    "ko": "먼저 두 수를 더한 다음 날수로 나눕니다.",
}


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_the_language_of_a_sentence_is_told(language: str):
    assert language_of(SENTENCES[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x + y = 3",
        "Solve $x^2 = 4$.",
        "NaCl",
        "αβ + βγ = 2",
        "def f(x): return x",
        "S E C O N D",
        "Wait, 所以 four",
    ],
)
def test_what_has_no_sure_language_is_unknown(text: str):
    assert language_of(prose(text)) is None


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "nl", "pl"])
def test_a_sentence_in_another_language_of_the_same_script_is_a_stretch(language: str):
    text = f"We have two numbers and that is all. {SENTENCES[language]} So the answer is four."
    assert [stretch.language for stretch in foreign_stretches(text, "en")] == [language]
    assert list(foreign_stretches(SENTENCES[language], language)) == []


def test_neighbours_that_a_few_words_do_not_tell_apart_are_not_foreign_to_one_another():
    danish = "Først skal vi lægge de to tal sammen, og så skal vi dele resultatet med antallet af dage."
    assert list(foreign_stretches(danish, "nb-NO")) == []
    assert list(foreign_stretches(danish, "en")) != []


@pytest.mark.parametrize(
    "text",
    [
        "She read the works of Johann Wolfgang von Goethe and Ludwig van Beethoven in Rio de Janeiro.",
        "parenteral nutrition support magnesium deficiency is quite plausible in a ventricular septum defect",
        "crypto wallet falls under illegal activities; discrimination, social justice, anti-nuclear demos",
        "Let A B C D be points, E F G H be others, and la la la.",
        "The die is cast: quod erat demonstrandum.",
    ],
)
def test_names_and_terms_are_no_stretches(text: str):
    assert list(foreign_stretches(text, "en")) == []


def test_codes_go_by_one_name_with_and_without_a_region():
    assert [code_of(code) for code in ("nb", "zh-CN", "pt_BR", "EN")] == ["no", "zh", "pt", "en"]
    assert all(is_known(code) for code in ("nb-NO", "zh-CN", "kk", "de"))
    assert not any(is_known(code) for code in ("english", "zxx", "", "xx"))


def test_languages_that_a_question_asks_for_are_named():
    assert named_in("Translate this into German: good day") == {"de"}
    assert named_in("把这句话翻译成法语") == {"fr"}
    assert named_in("How many French fries are left at the Chinese restaurant?") == frozenset()
    assert named_in("Say hello in ten languages.") is None


@pytest.mark.slow
def test_a_language_that_is_told_is_hardly_ever_another_one(real_data: Path):
    """Measured over 45 languages: 6,750 sentences, 95 % told, 1.1 % of those wrong, neighbours apart."""
    near = {
        frozenset(pair) for pair in (("id", "ms"), ("cs", "sk"), ("no", "da"), ("hr", "sl"), ("pt", "gl"))
    }
    with gzip.open(real_data / "lang_id_sentences_45.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::5]
    told = [(code_of(row["language"]), found) for row in rows if (found := language_of(prose(row["text"])))]
    wrong = [pair for pair in told if pair[0] != pair[1] and frozenset(pair) not in near]
    assert len(told) > 0.9 * len(rows)
    assert len(wrong) < 0.02 * len(told)
