"""What every run does besides training: log, save, evaluate the baselines, write the record."""

default_hooks = dict(
    logger=dict(type="LoggerHook", interval=50),
    checkpoint=dict(type="ExactCheckpointHook", keep=2, save_best="auto"),
)
custom_hooks = [dict(type="BaselinesHook"), dict(type="ResultHook")]
visualizer = dict(
    type="Visualizer",
    vis_backends=[dict(type="JsonLinesTracker"), dict(type="TensorboardXTracker")],
)
log_level = "INFO"
seed = 0
resume = False
load_from = None
