"""What ``pyproject.toml`` cannot say: the extension that is built where there is a compiler."""

import glob
import platform
import sysconfig

from setuptools import Extension, setup

# Without it everything works: calls are then measured by cProfile.
_calltree = Extension(
    "django_hotpath._calltree",
    ["src/django_hotpath/_calltree.c"],
    depends=sorted(glob.glob("src/django_hotpath/_calltree_*.h")),
    optional=True,
)

_has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(ext_modules=[_calltree] if platform.python_implementation() == "CPython" and _has_gil else [])
