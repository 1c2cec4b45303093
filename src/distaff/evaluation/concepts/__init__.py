"""What models that know words make of concepts, and how right that is."""
