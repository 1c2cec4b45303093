"""`python -m distaff.cli` is `distaff` too."""

from distaff.cli import main

if __name__ == "__main__":
    main()
