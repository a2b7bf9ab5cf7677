"""The models for type checkers. Written by tests/tools/write_model_names.py."""

from backtest.model.protocol import MarginModel
from strategies.article_27 import Article27 as Article27
from strategies.as_replayed import AsReplayed as AsReplayed
from strategies.caviar import CaviarVaR as CaviarVaR
from strategies.cme_sc import CmeScLike as CmeScLike
from strategies.copula import CopulaVaR as CopulaVaR
from strategies.covariance import VarianceCovariance as VarianceCovariance
from strategies.cross_margining import CrossMargining as CrossMargining
from strategies.crypto_capital import CryptoCapital as CryptoCapital
from strategies.eurex import EurexLike as EurexLike
from strategies.extreme import ExtremeValueVaR as ExtremeValueVaR
from strategies.ficc import FiccVaR as FiccVaR
from strategies.filtered import AgeWeighted as AgeWeighted
from strategies.filtered import FilteredHistorical as FilteredHistorical
from strategies.haircut import HaircutOnly as HaircutOnly
from strategies.historical import HistoricalVaR as HistoricalVaR
from strategies.icc_treasury import IccTreasuryLike as IccTreasuryLike
from strategies.liquid_capital import LiquidCapital as LiquidCapital
from strategies.net_capital import NetCapital as NetCapital
from strategies.offset import CorrelationOffset as CorrelationOffset
from strategies.overlays.add_ons import ConcentrationAddOn as ConcentrationAddOn
from strategies.overlays.add_ons import LiquidityAddOn as LiquidityAddOn
from strategies.overlays.buffer import Buffer as Buffer
from strategies.overlays.cap import Cap as Cap
from strategies.overlays.correlation_break import CorrelationBreak as CorrelationBreak
from strategies.overlays.floors import Minimum as Minimum
from strategies.overlays.floors import TenYearFloor as TenYearFloor
from strategies.overlays.speed import SpeedLimit as SpeedLimit
from strategies.overlays.stress import StressBlend as StressBlend
from strategies.overlays.wrong_way import WrongWayLike as WrongWayLike
from strategies.parametric import CornishFisherVaR as CornishFisherVaR
from strategies.parametric import EwmaVaR as EwmaVaR
from strategies.parametric import GarchVaR as GarchVaR
from strategies.portfolio_margin import PortfolioMargin as PortfolioMargin
from strategies.siloed import Siloed as Siloed
from strategies.simm.model import Simm as Simm
from strategies.span.model import Span as Span
from strategies.span2 import Span2 as Span2
from strategies.standard_schedule import StandardSchedule as StandardSchedule
from strategies.stans import StansLike as StansLike
from strategies.stress_weighted import StressWeighted as StressWeighted
from strategies.stressed import StressedVaR as StressedVaR
from strategies.venue_grid import VenueGrid as VenueGrid

MODELS: dict[str, type[MarginModel]]
__all__: list[str]
