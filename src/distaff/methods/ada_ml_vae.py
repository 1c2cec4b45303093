"""Ada-ML-VAE: pairs of images that share most factors, without knowing which, by products of posteriors."""

from dataclasses import dataclass

from distaff.methods.ada_gvae import AdaGVAE
from distaff.methods.group_vae import geometric_mean


@dataclass(frozen=True)
class AdaMLVAE(AdaGVAE):
    """Ada-ML-VAE (Locatello et al. 2020): as ada_gvae, with the product of the two posteriors.

    Shared latents take the average of ml_vae. Locatello et al. 2020, arXiv:2002.02886, section 5.

    Differences from the paper: those of ada_gvae.
    """

    average = staticmethod(geometric_mean)
