"""`distaff concepts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from distaff.cli import options
from distaff.cli.options import tell
from distaff.errors import BadInput

if TYPE_CHECKING:
    from distaff.concepts import Concept, Vocabulary
    from distaff.evaluation.concepts.imagined import Imagined, Recognised
    from distaff.training.run import Run

TOLD = 0.5  # the certainty from which a word or a concept is told
SURE_LATENTS = 4  # of the smallest sigma, which are told
LEARNED = "by the learned operator"


def concepts(
    run: options.RunFolder,
    words: Annotated[
        str | None, Argument(metavar="[WORDS]", help="A concept, such as 'red wall, hat'.")
    ] = None,
    and_: Annotated[
        str | None, Option("--and", metavar="WORDS", help="Draw what either of two concepts says.")
    ] = None,
    in_common: Annotated[
        str | None, Option(metavar="WORDS", help="Draw what two concepts have in common.")
    ] = None,
    ignore: Annotated[
        str | None, Option(metavar="WORDS", help="Draw WORDS but for the attributes of this concept.")
    ] = None,
    image: Annotated[
        str | None,
        Option(metavar="FILE|INDEX", help="Instead: the concepts that an image shows, and how certainly."),
    ] = None,
    count: Annotated[int | None, Option(help="How many images [10].")] = None,
    seed: options.Seed = 0,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Draw images of a concept, or list the concepts of an image.

    Of a run that knows words: scan, scan_operators, jmvae or telbo. Images go to RUN/concepts/NAME.png.
    """
    from distaff.evaluation.concepts.imagined import lessons_of
    from distaff.training.run import load_run

    asked = {"and": and_, "in_common": in_common, "ignore": ignore}
    operators = {name: other for name, other in asked.items() if other is not None}
    loaded = load_run(run, data_dir=data_dir)
    vocabulary = lessons_of(loaded).vocabulary
    if image is not None:
        if words is not None or operators:
            raise BadInput("--image takes no words and no operator: it lists the concepts of an image")
        if count is not None:
            raise BadInput("--image takes no --count: it lists the concepts of an image")
        _recognise(loaded, image, seed, as_json)
        return
    if len(operators) > 1:
        raise BadInput("give one of --and, --in-common and --ignore")
    for given in (words, *operators.values()):
        if given is None or not given.strip(" ,"):
            raise BadInput(f"give a concept, or --image. {_vocabulary(vocabulary)}")
    title, drawn = _drawn(loaded, vocabulary, str(words), operators, (10 if count is None else count, seed))
    _tell_drawn(loaded, vocabulary, title, drawn, as_json)


def _drawn(
    run: Run, vocabulary: Vocabulary, words: str, operators: dict[str, str], how: tuple[int, int]
) -> tuple[str, dict[str, Imagined]]:
    """What was asked for in words, and what the run makes of it: by its operator, and by the exact result."""
    from distaff.concepts import in_words
    from distaff.evaluation.concepts.imagined import combine, has_operators, imagine, result

    told = vocabulary.describe_symbol(vocabulary.symbol(words))
    if not operators:
        return told, {told: imagine(run, words, *how)}
    ((operator, others),) = operators.items()
    other = vocabulary.describe_symbol(vocabulary.symbol(others))
    exact = result(vocabulary, vocabulary.read(words), operator, vocabulary.read(others))
    drawn = {}
    if has_operators(run):
        drawn[LEARNED] = combine(run, words, operator, others, *how)
    drawn[vocabulary.describe(exact)] = imagine(run, exact, *how)
    return in_words(told, operator, other), drawn


def _tell_drawn(
    run: Run, vocabulary: Vocabulary, title: str, drawn: dict[str, Imagined], as_json: bool
) -> None:
    """Write the sheet, and print where it is and what the run makes of each."""
    from distaff.pages.concept_sheet import write_concept_sheet

    labels = ("operator", "exact") if len(drawn) > 1 else ("",)
    images = {label: each.images for label, each in zip(labels, drawn.values(), strict=True)}
    path = write_concept_sheet(run.folder, title, images)
    names = run.method.column_names(run.facts)
    made = {by: _record(names, vocabulary, each) for by, each in drawn.items()}
    value = {"run": str(run.folder), "concept": title, "picture": str(path), "drawn": made}
    lines = [str(path)]
    if title not in drawn:
        lines.append(title)
        if LEARNED not in drawn:
            lines.append(f"{run.folder} has no operators (scan_operators learns them); the exact result is")
    for by, record in made.items():
        lines += [by, *_lines(record)]
    tell("\n".join(lines), value, as_json)


def _record(names: list[str], vocabulary: Vocabulary, made: Imagined) -> dict[str, Any]:
    """The latents, the surest first, and the words likewise."""
    order = made.sigma.argsort(kind="stable")
    latents = [
        {"latent": names[j], "mean": float(made.mean[j]), "sigma": float(made.sigma[j])} for j in order
    ]
    return {"latents": latents, "words": _words(vocabulary, made.words)}


def _words(vocabulary: Vocabulary, certain: Any) -> dict[str, float]:
    """Every word and how certain it is, the surest first."""
    words = [vocabulary.describe([value]) for value in vocabulary.values]
    return {words[j]: float(certain[j]) for j in (-certain).argsort(kind="stable")}


def _lines(record: dict[str, Any]) -> list[str]:
    """A record in words."""
    surest, others = record["latents"][:SURE_LATENTS], record["latents"][SURE_LATENTS:]
    told = ", ".join(f"{each['latent']} at {each['mean']:.2f} ({each['sigma']:.2f})" for each in surest)
    rest = f"; the others {others[0]['sigma']:.2f} to {others[-1]['sigma']:.2f}" if others else ""
    words = list(record["words"].items())
    said = [f"{word} {certain:.2f}" for word, certain in words if certain >= TOLD]
    surest_word = f"nothing surely; surest is {words[0][0]} {words[0][1]:.2f}"
    return [f"  latents (sigma): {told}{rest}", f"  read back: {', '.join(said) or surest_word}"]


def _recognise(run: Run, given: str, seed: int, as_json: bool) -> None:
    """Print the concepts of an image, and where it is one of the data set, whether it shows them."""
    from distaff.concepts import shows
    from distaff.evaluation.concepts.imagined import lessons_of, recognise
    from distaff.evaluation.given_image import given_image

    vocabulary, image = lessons_of(run).vocabulary, given_image(run.data, given)
    seen = recognise(run, image.image, seed)
    row = None if image.number is None else vocabulary.space.rows([image.number])
    found: list[dict[str, Any]] = []
    for said, meaning, certainty in _found(vocabulary, seen):
        shown = {} if row is None else {"shown": bool(shows(meaning, row)[0])}
        found.append(said | {"certainty": certainty} | shown)
    value = {"run": str(run.folder), "image": given, "note": image.note, "concepts": found}
    certain = [each for each in found if each["certainty"] >= TOLD]
    lines = [image.note] if image.note else []
    lines.append(f"{len(certain)} of {len(found)} concepts it was taught are at least {TOLD:g} certain:")
    for each in certain:
        wrong = "" if each.get("shown", True) else "  (wrong: the image does not show it)"
        read_as = f", read as {each['read_as']}" if "read_as" in each else ""
        lines.append(f"{each['certainty']:.2f}  {each['concept']}{read_as}{wrong}")
    tell("\n".join(lines), value | {"words": _words(vocabulary, seen.words)}, as_json)


def _found(vocabulary: Vocabulary, seen: Recognised) -> list[tuple[dict[str, str], Concept, float]]:
    """Concepts and synonyms by falling certainty: as they are told, their meanings, their certainties."""
    found = [({"concept": vocabulary.describe(concept)}, concept, sure) for concept, sure in seen.concepts]
    for word, read_as, sure in seen.synonyms:
        told = {"concept": word, "read_as": vocabulary.describe(read_as)}
        found.append((told, vocabulary.synonyms[word], sure))
    return sorted(found, key=lambda each: -each[2])


def _vocabulary(vocabulary: Vocabulary) -> str:
    """What can be said, in one line."""
    of = [f"{name.replace('_', ' ')}: {', '.join(vocabulary.of(name))}" for name in vocabulary.named]
    if vocabulary.synonyms:
        of.append(f"synonyms: {', '.join(vocabulary.synonyms)}")
    return f"Its words: {'; '.join(of)}."
