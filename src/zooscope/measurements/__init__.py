"""What runs on a device: a classifier or an attack over a few images, arrays out."""
