"""tercet.attention: one call, on the arrays of any framework. tercet.flex_attention: the same with FlexAttention's functions."""
import collections
import os
import pathlib
import sys

from . import _kernels, _tensors
from .builder import Spec, SpecBuilder
from .errors import InvalidArgument
from .trace.captures import is_array


class Request:
    """What a call asks for, sorted: the spec, its static settings, the parameters of the call, and tensors beside q, k and v."""

    def __init__(self, spec, named, target=None):
        self.tensors, self.values, self.settings, self.target = {}, {}, {}, target
        if isinstance(spec, Spec):
            self.name, self.text = None, spec.compiled_text
            self.tensors.update(spec.tensors)
            self.values.update(spec.values)
        elif isinstance(spec, (str, os.PathLike)):
            spec = spec if isinstance(spec, str) else pathlib.Path(spec).read_text()
            self.name, self.text = (None, spec) if "tercet.spec" in spec else (spec, None)
        else:
            raise InvalidArgument(f"spec is {type(spec).__name__}; it is the name of a built-in spec, a text, the path of a file, or what SpecBuilder.build gives")
        self.description = _kernels.describe(self.name, self.text)
        parameters = {one["name"]: one for one in self.description["parameters"]}
        for name, value in named.items():
            if value is None:
                continue
            if name in parameters:
                self._set(parameters[name], value)
            elif _tensors.is_array(value) or is_array(value):
                self.tensors[name] = value
            else:
                raise _kernels.unknown(name, self.description)

    def _set(self, parameter, value):
        name = parameter["name"]
        if parameter["binds"] == "compile":
            self.settings[name] = str(value).lower() if isinstance(value, bool) else str(value)
        elif isinstance(value, (str, bytes)):
            raise InvalidArgument(f"{name} is {value!r}; it is a number")
        else:
            self.values[name] = float(value)

    def kernel(self, views, direction="inference"):
        """For calls such as this one, where the views lie unless a target was named."""
        q, k, v = views["q"], views["k"], views["v"]
        return _kernels.kernel(self.name, self.text, self.settings.items(), q.shape[3], v.shape[3], q.dtype, self.target or q.place.target,
                               direction, _kernels.expected(q, k))


#: What arguments that are no tokens may be handed in as, and what they are converted to otherwise.
_KEPT_AS = {"weight": ("float32", "float16", "bfloat16"), "bias": ("float32", "float16", "bfloat16")}


def converted(kernel, name, array):
    """A table, lengths or classes in the dtype that the kernel reads: int64 ids and boolean masks, say, become int32."""
    one = kernel.arguments.get(name)
    if one is None or one.role in ("query", "key", "value") or one.is_output:
        return array
    found = str(array.dtype).rpartition(".")[2]
    if found in _KEPT_AS.get(one.role, ()):
        return array
    return _tensors.cast(array, one.dtype, name)


def token_views(q, k, v):
    views = {name: _tensors.view(array, name) for name, array in (("q", q), ("k", k), ("v", v))}
    for name, one in views.items():
        if len(one.shape) != 4:
            raise InvalidArgument(f"{name} has the shape {list(one.shape)}; it is [batch, heads, tokens, head dimension]")
        if 0 in one.shape:
            raise InvalidArgument(f"{name} has the shape {list(one.shape)}; every size is at least 1")
        if one.dtype != views["q"].dtype or one.dtype not in ("float32", "float16", "bfloat16"):
            raise InvalidArgument(f"{name} is {one.dtype} and q {views['q'].dtype}; q, k and v share float32, float16 or bfloat16")
    return views


def run(request, q, k, v, wanted, report=False):
    """Launches for inference; the outputs named in `wanted`, new arrays of q's framework, and the report if asked for."""
    views = token_views(q, k, v)
    kernel = request.kernel(views)
    for name, array in request.tensors.items():
        array = _one_axis_at_least(converted(kernel, name, array))
        views[name] = _tensors.view(array, name)
    _warn_of_absent(kernel, views)
    finished = []
    inputs = dict(views)
    for name, given in wanted.items():
        if given is None:
            one = kernel.arguments.get(name)
            if one is None:
                raise InvalidArgument(f"the spec {request.description['name']} has no output {name}; outputs: {', '.join(kernel.outputs)}")
            given, finish = _tensors.empty(q, kernel.shape(inputs, request.values, name), one.dtype)
        else:
            finish = None
        views[name] = _tensors.view(given, name)
        if views[name].read_only:
            raise InvalidArgument(f"the output {name} is read-only")
        if any(views[name].address == one.address for one in inputs.values()):
            raise InvalidArgument(f"the output {name} begins where an input does; outputs are written while inputs are read")
        finished.append((given, finish))
    told = kernel.launch(views, request.values, report)
    return [finish(array) if finish else array for array, finish in finished], told


def _warn_of_absent(kernel, given):
    for one in kernel.arguments.values():
        if one.role == "weight" and one.name not in given:
            import logging
            logging.getLogger("tercet").warning("%s is absent: the identity takes its place", one.name)


def _one_axis_at_least(array):
    return array.reshape(1) if len(array.shape) == 0 else array


def attention(q, k, v, spec="sla", *, return_lse=False, return_classes=False, layout="bhnd", out=None, report=None, target=None, **named):
    """Attention of q, k and v ([batch, heads, tokens, head dimension]) by a spec: a built-in one's name, a text, a pathlib.Path, or a built Spec.

    Other tensors and parameters of the spec go by name: `keep=0.1, w=w, b=b, classes=classes, k_len=k_len`. Returns o, in the
    framework of q; with `return_lse` and `return_classes` a tuple. layout "bnhd": tokens before heads, of q, k, v and o. `out`: an
    array for o. `report`: a dict that gets times and block counts. `target`: None for where q lies, else a processor such as "cpu:v3" or
    "cuda:1". On a GPU the call is queued on PyTorch's current stream. PyTorch tensors that require gradients get them."""
    if layout not in ("bhnd", "bnhd"):
        raise InvalidArgument(f"layout is {layout!r}; layouts are bhnd and bnhd")
    if layout == "bnhd":
        q, k, v = (_swapped(one) for one in (q, k, v))
        out = out if out is None else _swapped(out)
    request = Request(spec, named, target)
    wanted = {"o": out, **({"lse": None} if return_lse else {}), **({"classes_out": None} if return_classes else {})}
    if _wants_gradients(q, k, v, request):
        if out is not None or report is not None:
            raise InvalidArgument("out and report go with no gradients: call under torch.no_grad(), or with tensors that require none")
        from ._torch import attend
        results = attend(request, q, k, v, tuple(wanted))
    else:
        results, told = run(request, q, k, v, wanted, report is not None)
        if report is not None:
            report.update(told)
    if layout == "bnhd":
        results = [_swapped(results[0]), *results[1:]]
    return results[0] if len(results) == 1 else tuple(results)


def _wants_gradients(q, k, v, request):
    """Whether gradients may be asked for."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(q, torch.Tensor):
        return False
    return torch.is_grad_enabled() and any(getattr(one, "requires_grad", False) for one in (q, k, v, *request.tensors.values()))


def _swapped(array):
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return array.transpose(1, 2)
    if hasattr(array, "transpose"):
        return array.transpose(0, 2, 1, 3)
    return array.__array_namespace__().permute_dims(array, (0, 2, 1, 3))


Auxiliary = collections.namedtuple("Auxiliary", "lse")


def flex_attention(q, k, v, score_mod=None, block_mask=None, scale=None, enable_gqa=False, return_lse=False, return_aux=None, **more):
    """FlexAttention's call. `block_mask` is a mask_mod, or a BlockMask of PyTorch; `score_mod` a function of (score, b, h, q_idx,
    kv_idx). Both are traced at every call, and compiled when their text is new. `scale` never compiles anything. Query heads may be
    a multiple of key heads whatever `enable_gqa` says. `return_aux`: what PyTorch takes, an object with `lse`."""
    spec, named = flex_spec(score_mod, block_mask, _sizes(q, k, more.get("layout")))
    wants_lse = return_lse or bool(getattr(return_aux, "lse", False))
    result = attention(q, k, v, spec, return_lse=wants_lse, scale=scale, **named, **more)
    if return_aux is None:
        return result
    return (result[0], Auxiliary(result[1])) if wants_lse else (result, Auxiliary(None))


def _sizes(q, k, layout):
    heads, tokens = (2, 1) if layout == "bnhd" else (1, 2)
    return {"batch": q.shape[0], "head": q.shape[heads], "kv_head": k.shape[heads], "query": q.shape[tokens], "key": k.shape[tokens]}


def flex_spec(score_mod=None, block_mask=None, sizes=None):
    """The spec of FlexAttention's functions, and the tensors beside its captured ones (classes of a BlockMask)."""
    s = SpecBuilder("flex", sizes)
    scale = s.runtime("scale", None)
    mask, on, named = None, None, {}
    if hasattr(block_mask, "kv_indices"):
        from . import classes
        block_q, block_k = _block_sizes(block_mask)
        named["classes"] = classes.from_kv_blocks(block_mask.kv_num_blocks, block_mask.kv_indices, block_mask.full_kv_num_blocks,
                                                  block_mask.full_kv_indices)
        mask = s.mask(block_mask.mask_mod)
        every = s.block_set(lambda b, h, q_block, kv_block: True, blocks=(block_q, block_k))
        listed = s.pattern(every, mask=mask)
        s.skip(listed.marginal)
        on = listed.critical
    elif block_mask is not None:
        mask = s.mask(block_mask)
    return s.build(s.sparse(on=on, scale=scale, mask=mask, score=score_mod)), named


def _block_sizes(block_mask):
    sizes = block_mask.BLOCK_SIZE
    return sizes if isinstance(sizes, tuple) else (sizes, sizes)
