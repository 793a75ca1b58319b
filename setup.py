"""What ``pyproject.toml`` cannot say: the extensions that are built where there is a compiler."""

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

# Without it querysets and statements are looked at in Python, which takes longer.
_stacks = Extension(
    "django_hotpath._stacks",
    ["src/django_hotpath/_stacks.c"],
    depends=sorted(glob.glob("src/django_hotpath/_stacks_*.h")),
    optional=True,
)

_has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")

_is_suited = platform.python_implementation() == "CPython" and _has_gil

setup(ext_modules=[_calltree, _stacks] if _is_suited else [])
