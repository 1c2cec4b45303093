"""`python -m distaff.cli` is `distaff`."""

from distaff.cli import main

main()
