"""Encoders and decoders by name."""

from distaff.networks import conv, fully_connected, linear
from distaff.networks.initial import fresh

__all__ = ["NETWORKS", "fresh"]

#: name -> (encoder(image_shape, outputs), decoder(latents, image_shape)); decoders return logits
NETWORKS = {
    "conv": (conv.encoder, conv.decoder),
    "fc": (fully_connected.encoder, fully_connected.decoder),
    "linear": (linear.encoder, linear.decoder),
}
