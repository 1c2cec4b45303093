"""`distaff score`."""

import os
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from distaff.cli import options
from distaff.cli.options import blocks_of, continuous_of, listed, metrics_of, orders_of, tell
from distaff.cli.status import tell_failures
from distaff.errors import BadInput

LIST = "A,B,..."  # a list on the command line
TABLES = ".npy .npz .csv .tsv .txt .json (.gz .zip) .parquet .xlsx .mat .h5 .h5ad .safetensors .pt .pkl .dta"
FactorsFile = Annotated[
    Path | None,
    Argument(
        metavar="FACTORS", help="The same rows; may be CODES again. Without it: the scores that need none."
    ),
]
WordsOption = Annotated[
    str | None,
    Option(metavar=LIST, help="Factors that hold words, even where these look like numbers or NA."),
]


def score(
    codes: Annotated[Path, Argument(metavar="CODES", help=f"A row per image: {TABLES}")],
    factors: FactorsFile = None,
    code_columns: Annotated[
        str | None, Option(metavar=LIST, help="Columns of CODES, arrays of a file, obsm/KEY [default: all].")
    ] = None,
    factor_columns: Annotated[
        str | None, Option(metavar=LIST, help="Columns of FACTORS (or of CODES), arrays, obs/COLUMN.")
    ] = None,
    obsm: Annotated[
        str | None,
        Option(
            metavar=LIST, help="Embeddings of an .h5ad: a card, or of several a table of all side by side."
        ),
    ] = None,
    obs: Annotated[
        str | None, Option(metavar=LIST, help="Columns of an .h5ad that are factors [default: categories].")
    ] = None,
    continuous: options.Continuous = None,
    words: WordsOption = None,
    order: options.Order = None,
    missing: Annotated[
        str | None,
        Option(
            help="error, or drop the rows in which a value is missing, or that one file alone names "
            "[default: error; of an .h5ad drop]."
        ),
    ] = None,
    logvar: Annotated[
        Path | None, Option(help="Log-variances of the codes: adds mig_exact. CODES again: its array logvar.")
    ] = None,
    logvar_columns: Annotated[
        str | None, Option(metavar=LIST, help="Columns of the file of log-variances.")
    ] = None,
    blocks: options.Blocks = None,
    groups: options.Groups = None,
    units: options.Units = None,
    metric: options.Metrics = None,
    all_: options.All = False,
    protocol: options.Protocol = None,
    matrices: Annotated[
        Path | None, Option(help="Write the matrices behind the scores to this .npz file.")
    ] = None,
    seed: options.Seed = 0,
    values_only: options.ValuesOnly = False,
    as_json: options.Json = False,
) -> None:
    """Score codes from any framework against factors.

    A row of CODES and the same row of FACTORS describe one image. Factors are whole numbers, or words.
    """
    from distaff.files import check_output, write_arrays
    from distaff.progress import progress
    from distaff.scoring.score import score as score_arrays
    from distaff.scoring.score import score_matrices, wanted_metrics
    from distaff.tables import SparseTable, read_table

    cells = _is_cells(codes, obsm, obs, [code_columns, factor_columns])
    code_table, factor_table = _tables(codes, factors, cells, listed(code_columns), listed(factor_columns))
    keys: list[Any] = listed(obsm) or [None]
    has_factors = cells or factor_table is not None
    if matrices is not None and (len(keys) > 1 or not has_factors):
        raise BadInput("--matrices needs FACTORS" if len(keys) == 1 else "--matrices takes one embedding")
    if matrices is not None:
        check_output(matrices, ".npz", codes, factors, logvar)
    given: dict[str, Any] = {"continuous": continuous_of(continuous), "seed": seed}
    given |= {"words": listed(words) or (), "order": orders_of(order), "units": units}
    given |= {"missing": missing} if missing else {}
    given |= {"obsm": keys[0] if len(keys) == 1 else keys, "obs": listed(obs)} if cells else {}
    parts = blocks_of(blocks)
    wanted = metrics_of(metric, all_)
    beside = listed(logvar_columns) or (["logvar"] if logvar == codes else None)
    having = [*(["factors"] if has_factors else []), *(["logvar"] if logvar else [])]
    having += ["blocks"] if blocks else []
    scores = len(wanted_metrics(wanted, having, isinstance(code_table, SparseTable)))
    with progress("scoring", scores, show=not values_only) as report:
        card = score_arrays(
            code_table,
            factor_table,
            metrics=wanted,
            logvar=None if logvar is None else read_table(logvar, beside),
            blocks=parts,
            groups=blocks_of(groups, "--groups"),
            protocol=protocol,
            values_only=values_only,
            report=report,
            **given,
        )
    if matrices is not None:
        write_arrays(matrices, score_matrices(code_table, factor_table, **given))
    tell(str(card), card.to_dict(), as_json)
    tell_failures(card.failed)


def _is_cells(codes: Path, obsm: str | None, obs: str | None, columns: list[str | None]) -> bool:
    """Whether CODES is annotated data whose parts go by --obsm and --obs, or are found."""
    is_h5ad, picked = codes.suffix.lower() == ".h5ad", obsm is not None or obs is not None
    if picked and not is_h5ad:
        raise BadInput(f"--obsm and --obs are of an .h5ad, and CODES is {codes}")
    if picked and any(columns):
        raise BadInput("give --obsm and --obs, or --code-columns and --factor-columns, not both")
    return is_h5ad and not any(columns)


def _tables(
    codes: Path, factors: Path | None, cells: bool, of_codes: list[str] | None, of_factors: list[str] | None
) -> tuple[Any, Any]:
    """The tables of codes and of factors, or None. FACTORS may be left out where CODES holds them too.

    `cells`: CODES is annotated data, of which the scores pick what they need.
    """
    from distaff.tables import cells_in, read_table

    if cells:
        return cells_in(codes), None if factors is None else read_table(factors, role="factors")
    both = codes if factors is None and of_factors else factors
    code_table = read_table(codes, of_codes)
    if both is None:
        return code_table, None
    factor_table = read_table(both, of_factors, role="factors")
    if os.path.realpath(both) == os.path.realpath(codes):  # what one of the two names is not the other's
        if of_codes is None and of_factors is not None:
            code_table = _without(code_table, factor_table)
        elif of_factors is None and of_codes is not None:
            factor_table = _without(factor_table, code_table)
    return code_table, factor_table


def _without(table: Any, other: Any) -> Any:
    """The columns of a table but those of another that is a part of it."""
    is_part = set(table.names) > set(other.names)
    return table.pick([name for name in table.names if name not in other.names]) if is_part else table
