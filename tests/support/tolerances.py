"""Tolerances for two computations of the same number, each with its reason. All are relative unless a test says so."""

__all__ = ["FEW_ULP", "MANY_ROUNDINGS", "OTHER_ALGORITHM", "SINGLE", "TENS_OF_ULP", "TWO_ULP"]

TWO_ULP = 4e-16  #: float64, one or two roundings that the other computation does not make
FEW_ULP = 1e-15  #: float64, some four roundings
TENS_OF_ULP = 1e-14  #: float64, a power, a sum of tens of terms, or a difference of numbers near each other
MANY_ROUNDINGS = 1e-13  #: float64, sums of hundreds of terms in another order
OTHER_ALGORITHM = 1e-12  #: float64, hundreds of steps, or a formula that loses digits where the tested one does not
SINGLE = 1e-6  #: float32, a few roundings of 6e-8
