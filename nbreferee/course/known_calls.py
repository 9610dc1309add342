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
# Those that must be called where they are named: under another name nobody would know them.
ONLY_CALLED = ITERATORS | CHANGING | {"type", "super"}

# Libraries whose functions keep nothing from call to call, but for the names in DENIED.
MODULES = frozenset(
    "abc cmath collections copy dataclasses fractions functools itertools math "
    "matplotlib.pyplot numbers numpy numpy.fft numpy.linalg scipy scipy.linalg scipy.special "
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
    # ways into frames, classes and modules
    "obj tb_frame tb_next f_back f_builtins f_code f_globals f_locals gi_code gi_frame cr_frame "
    "ag_frame mro seterrobj set_bad set_over set_under set_extremes "
    # tools that keep what they have seen
    "lru_cache cache cached_property singledispatch count cycle tee "
    # files that a figure is written to, and text that becomes code
    "print_eps print_figure print_gif print_jpeg print_jpg print_pdf print_pgf print_png print_ps "
    "print_raw print_rgba print_svg print_svgz print_tif print_tiff print_webp _evaluate".split()
)
CHANGING_FUNCTIONS = frozenset(  # of libraries: they change an argument
    "at copyto fill_diagonal heapify heappop heappush heapreplace insort place put "
    "put_along_axis putmask shuffle update_wrapper".split()
)
# Functions of libraries that change an argument where they are called: decorators, and those that
# change a part of a figure and return something else.
MARKING = frozenset(
    "abstractmethod axes clabel colorbar dataclass delaxes figlegend figure final legend "
    "no_type_check override quiverkey runtime_checkable sca setp subplot table total_ordering "
    "update_abstractmethods".split()
)
OVERWRITING = frozenset(  # which may sort their argument: the fourth one tells
    "median nanmedian nanpercentile nanquantile percentile quantile".split()
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
    "lower lstrip replace rfind rpartition rsplit rstrip split splitlines startswith "
    "strip title upper zfill "
    "get items keys values "
    "difference intersection isdisjoint issubset issuperset symmetric_difference union "
    "as_integer_ratio bit_length conjugate is_integer".split()
)
# From how many arguments on one of them may be an array that the result is written to.
OUT_OF_METHODS = {
    **dict.fromkeys("all any argmax argmin dot max min round".split(), 2),
    **dict.fromkeys("clip cumprod cumsum mean prod std sum take var".split(), 3),
    **dict.fromkeys("accumulate reduce".split(), 4),
    **dict.fromkeys("reduceat trace".split(), 5),
}
# NumPy's functions of one argument, which write their result to a second one.
ONE_ARGUMENT = frozenset(
    "abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh "
    "bitwise_count bitwise_invert bitwise_not cbrt ceil conj conjugate cos cosh deg2rad degrees "
    "exp exp2 expm1 fabs fix floor frexp invert isfinite isinf isnan isnat isneginf isposinf log "
    "log10 log1p log2 logical_not modf negative positive rad2deg radians reciprocal rint sign "
    "signbit sin sinh spacing sqrt square tan tanh trunc".split()
)
# Functions of NumPy that never write to what they get, with however many arguments.
MANY_ARGUMENTS = frozenset(
    "allclose append arange array array_equal asarray block column_stack cross delete diff "
    "digitize einsum full full_like geomspace gradient histogram insert interp isclose kron "
    "linspace logspace lstsq meshgrid moveaxis norm pad polyfit polyval repeat reshape roll "
    "searchsorted select solve split swapaxes tensordot tile trapezoid trapz unique where "
    "zeros".split()
)
# Methods that change their object: kept and called later, they would change it unseen.
MUTATORS = frozenset(
    "add append appendleft byteswap clear close difference_update discard extend extendleft fill "
    "insert intersection_update itemset move_to_end partition pop popitem popleft put remove "
    "resize reverse rotate send setdefault setfield setflags shuffle sort subtract "
    "symmetric_difference_update throw update".split()
)
# Names that IPython binds.
OF_IPYTHON = frozenset("In Out exit quit get_ipython".split())
# Classes of libraries that nobody can change.
UNCHANGEABLE = frozenset(
    "ndarray dtype ufunc flatiter generic number integer inexact floating signedinteger "
    "unsignedinteger complexfloating character flexible bool_ bytes_ str_ void object_ byte short "
    "intc int_ long longlong ubyte ushort uintc uint ulong ulonglong half single double longdouble "
    "csingle cdouble clongdouble datetime64 timedelta64 True_ False_ NaN Inf Any Union Optional "
    "Callable".split()
)
# Other members of libraries that can be changed: containers, and classes with small letters.
WITH_STATE = frozenset(
    "busdaycalendar c_ chararray errstate finfo iinfo index_exp ma masked matrix memmap mgrid "
    "ndenumerate ndindex nditer nested_iters ogrid partial partialmethod poly1d printoptions r_ "
    "recarray record s_ sctypeDict sctypes singledispatchmethod sctypeNA typeDict typecodes "
    "vectorize "
    # other modules, and tables of a module's own
    "EXCLUDED_ATTRIBUTES abc add_newdocs annotations backend_registry basic blas cbook char "
    "cluster cm color_sequences constants copy cython_blas cython_lapack cython_special datasets "
    "decomp decomp_cholesky decomp_lu decomp_qr decomp_schur decomp_svd differentiate "
    "dispatch_table dtypes emath exceptions fft fftpack integrate interpolate lapack matfuncs "
    "matrixlib misc mlab ndimage numbers odr optimize orthogonal polynomial rcsetup rec sf_error "
    "signal sparse spatial specfun special_matrices spfun_stats stdlib_re strings types typing "
    "version".split()
)
# Members of libraries that change or read what no name shows.
UNKNOWN_MEMBERS = frozenset(
    "ForwardRef NormalDist cycler evaluate_forward_ref get_cache_token kde_random "
    "bmat deprecate fields get_args get_origin get_type_hints info interactive interpolative "
    "lookfor register_cmap show_config show_runtime source test uninstall_repl_displayhook "
    "who colormaps clarkson_woodruff_transform Formatter get_current_fig_manager getbufsize "
    # which make a colour map the usual one
    "autumn bone cool copper flag gray hot hsv inferno jet magma nipy_spectral pink plasma prism "
    "spring summer viridis winter".split()
)
SPECIAL_NAMES = frozenset(
    "__abs__ __add__ __call__ __contains__ __doc__ __eq__ __float__ __ge__ "
    "__getitem__ __gt__ __init__ __int__ __le__ __len__ __lt__ __matmul__ __mul__ "
    "__name__ __ne__ __neg__ __post_init__ __pow__ __radd__ __repr__ __rmul__ __rsub__ "
    "__rtruediv__ __setitem__ __str__ __sub__ __truediv__".split()
)
