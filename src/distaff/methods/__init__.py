"""Methods: what is trained, as frozen dataclasses of hyper-parameters."""
