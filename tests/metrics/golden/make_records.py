"""Write scores of other packages: pip install scoringrules pysteps, then run this file."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scoringrules
from pysteps.utils.spectral import rapsd
from pysteps.verification.detcatscores import det_cat_fct
from pysteps.verification.ensscores import rankhist
from pysteps.verification.spatialscores import fss

rng = np.random.default_rng(0)
target = rng.random((24, 24)).astype(np.float32)
ensemble = (target + rng.normal(0, 0.3, (6, 24, 24))).astype(np.float32)
forecast, levels = ensemble[0], np.array([0.1, 0.3, 0.5, 0.7, 0.9])
quantiles = np.quantile(ensemble, levels, axis=0).astype(np.float32)
truth, members = target.astype(float), ensemble.astype(float)
events = det_cat_fct(forecast.astype(float), truth, 0.6, scores=["CSI", "POD", "FAR", "BIAS"])
counts = rankhist(members, truth, normalize=True)
found = {
    "crps": scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="nrg").mean(),
    "crps_fair": scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="fair").mean(),
    "energy_score": scoringrules.es_ensemble(truth.ravel(), members.reshape(6, -1)),
    "crps_quantiles": scoringrules.crps_quantile(
        truth, np.moveaxis(quantiles.astype(float), 0, -1), levels
    ).mean(),
    "csi_0.6": events["CSI"],
    "pod_0.6": events["POD"],
    "far_0.6": events["FAR"],
    "frequency_bias_0.6": events["BIAS"],
    "fss_0.6_5": fss(forecast.astype(float), truth, 0.6, 5),
    "rank_histogram": list(map(float, counts)),
    "spectrum": rapsd(truth, fft_method=np.fft).tolist(),
}
record = {
    "packages": {"scoringrules": version("scoringrules"), "pysteps": version("pysteps")},
    "seed": 0,
    "scores": {k: v if isinstance(v, list) else float(v) for k, v in found.items()},
}
Path(__file__).with_name("other_packages.json").write_text(json.dumps(record, indent=1) + "\n")
