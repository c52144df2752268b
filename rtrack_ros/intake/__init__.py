"""From camera images to frame pairs: decoding, pairing, thermal onto the RGB grid."""
