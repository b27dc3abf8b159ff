"""Packages of the wheel: the code, and the configs as ``openstl_ext/configs``."""

from setuptools import find_namespace_packages, find_packages, setup

configs = ["openstl_ext.configs"]
configs += [f"openstl_ext.configs.{folder}" for folder in find_namespace_packages("configs")]

setup(
    packages=[*find_packages(include=["openstl_ext*"]), *configs],
    package_dir={"openstl_ext.configs": "configs"},
)
