"""Small SimVP-gSTA on boiling, trained by NewMethod."""

_base_ = ["boiling/simvp_gsta_small"]

custom_imports = dict(imports=["new_method"])

model = dict(type="NewMethod", decay=0.9)

source = dict(name="SimVP-gSTA (NewMethod)")
