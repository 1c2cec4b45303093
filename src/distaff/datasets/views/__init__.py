"""Views: data sets made of another one, a file each. Those registered are options of `load_dataset`."""
