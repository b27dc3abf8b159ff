"""NewModel on boiling, 32 x 32."""

_base_ = ["boiling/simvp_gsta_small"]

custom_imports = dict(imports=["new_model"])

model = dict(net=dict(_delete_=True, type="NewModel", num_frames=10, channels=1))

source = dict(name="NewModel")
