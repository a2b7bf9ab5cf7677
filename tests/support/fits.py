"""What tests ask of the certificates of fits."""


def ended(fits):
    """Fits tried and failed of the one law that was fitted."""
    [certificate] = fits.values()
    return certificate.tried, certificate.failed
