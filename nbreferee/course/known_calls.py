"""List calls of Python and of libraries whose side effects are known.

The lists are for `effects`: what is not in them is not known, and then a whole notebook is run.
"""

from __future__ import annotations

import builtins

# Python's own functions that change none of their arguments and nothing else.
READING = frozenset(
    "abs all any ascii bin bool bytearray bytes callable chr complex dict display divmod enumerate "
    "filter float format frozenset hasattr hash hex int isinstance issubclass iter len list map "
    "max min oct ord pow print property range repr reversed round set slice sorted staticmethod "
    "classmethod str sum super tuple type zip object".split()
) | {
    name
    for name in dir(builtins)
    if isinstance(kind := getattr(builtins, name), type) and issubclass(kind, BaseException)
}
# Those that return an iterator, which can be read once.
ITERATORS = frozenset("enumerate filter iter map reversed zip".split())
# Those that read an iterator to its end.
CONSUMING = frozenset("all any dict frozenset list max min set sorted sum tuple".split())
CHANGING = frozenset(["delattr", "next", "setattr"])  # their first argument

# Libraries whose functions keep nothing from call to call, but for the names in DENIED.
MODULES = frozenset(
    "__future__ abc cmath collections copy dataclasses fractions functools itertools math "
    "matplotlib.pyplot numbers numpy numpy.linalg scipy scipy.linalg scipy.special "
    "statistics string typing".split()
)
DENIED = frozenset(
    # what draws from or sets the state of a whole process
    "seterr seterrcall set_printoptions set_numeric_ops setbufsize set_string_function rc rcParams "
    "rcParamsDefault rcdefaults rc_context style ion ioff switch_backend xkcd set_cmap use "
    "set_loglevel connect pause ginput waitforbuttonpress install_repl_displayhook "
    # files
    "DataSource fromfile fromregex genfromtxt imread imsave load loadtxt memmap open_memmap save "
    "savefig savetxt savez savez_compressed tofile dump dumps write write_text write_bytes open "
    # other modules, which a module has among its names
    "os sys random warnings ctypes ctypeslib builtins lib core testing f2py distutils compat "
    "environ modules importlib subprocess threading time datetime stats io "
    # tools that keep what they have seen
    "lru_cache cache cached_property singledispatch count cycle tee".split()
)
CHANGING_FUNCTIONS = frozenset(  # of libraries: they change an argument
    "at copyto fill_diagonal heapify heappop heappush heapreplace insort place put "
    "put_along_axis putmask shuffle update_wrapper".split()
)
# Context managers that let every exception pass. (Others that do, such as those of files, are not
# known at all.)
PASSING_MANAGERS = frozenset(["numpy.errstate", "numpy.printoptions"])
# Methods that change nothing, of whatever object of Python's or a library's.
READING_METHODS = frozenset(
    "all any argmax argmin argsort astype clip conj conjugate copy cumprod cumsum diagonal dot "
    "flatten item max mean min nonzero prod ravel repeat reshape round squeeze std sum swapaxes "
    "take tobytes tolist trace transpose var view "
    "accumulate outer reduce reduceat "
    "capitalize count decode encode endswith find format index isalpha isdigit isidentifier join "
    "lower lstrip partition replace rfind rpartition rsplit rstrip split splitlines startswith "
    "strip title upper zfill "
    "get items keys values "
    "difference intersection isdisjoint issubset issuperset symmetric_difference union "
    "as_integer_ratio bit_length conjugate is_integer".split()
)
SPECIAL_NAMES = frozenset(
    "__abs__ __add__ __call__ __contains__ __doc__ __enter__ __eq__ __exit__ __float__ __ge__ "
    "__getitem__ __gt__ __init__ __int__ __iter__ __le__ __len__ __lt__ __matmul__ __mul__ "
    "__name__ __ne__ __neg__ __post_init__ __pow__ __radd__ __repr__ __rmul__ __rsub__ "
    "__rtruediv__ __setitem__ __str__ __sub__ __truediv__".split()
)
