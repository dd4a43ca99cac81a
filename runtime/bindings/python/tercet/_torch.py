"""PyTorch operators: tercet::attend and tercet::attend_backward, with the shapes that torch.compile asks for and autograd. What is
computed is said by `call`, a text: the spec and its settings, the runtime parameters and the names of the tensors."""
import functools
import json

import torch

from . import _kernels, _places, _tensors

_BACKWARD_INPUTS = ("do", "q", "k", "v")


def call_text(name, text, settings, values, names, wanted=("o",), target=None):
    return json.dumps({"name": name, "text": text, "settings": sorted(settings), "values": values, "names": list(names),
                       "wanted": list(wanted), "target": target})


class Plan:
    """A call with its kernels for one head dimension and dtype."""

    def __init__(self, call, head_dim, value_dim, dtype, place):
        said = json.loads(call)
        self.names, self.values, self.wanted = said["names"], said["values"], said["wanted"]
        self.key = (said["name"], said["text"], [tuple(one) for one in said["settings"]], head_dim, value_dim, dtype, said["target"] or place.target)

    def kernel(self, direction, call=None):
        """call: what calls to expect; what a kernel takes and gives does not depend on it."""
        return _kernels.kernel(*self.key, direction, call)

    @functools.cached_property
    def saved(self):
        """Argument of the backward -> output of the forward."""
        forward, backward = self.kernel("forward"), self.kernel("backward")
        found = {}
        for one in backward.arguments.values():
            if not one.is_output and one.name not in _BACKWARD_INPUTS:
                output = forward.saved_output(backward, one.name)
                if output is not None:
                    found[one.name] = output
        return found

    def outputs(self, saving):
        """What tercet::attend gives, in order."""
        return list(dict.fromkeys([*self.wanted, *self.saved.values()])) if saving else self.wanted


@functools.lru_cache(maxsize=256)
def _plan(call, head_dim, value_dim, dtype, place):
    return Plan(call, head_dim, value_dim, dtype, place)


def plan_of(call, q, v):
    return _plan(call, int(q.shape[3]), int(v.shape[3]), _name(q.dtype), _places.of_torch(q, "q"))


def _name(dtype):
    return str(dtype).rpartition(".")[2]


def _views(plan, q, k, v, tensors):
    given = {"q": q, "k": k, "v": v, **dict(zip(plan.names, tensors))}
    return {name: _tensors.view(tensor, name) for name, tensor in given.items()}


@torch.library.custom_op("tercet::attend", mutates_args=())
def attend_op(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, tensors: list[torch.Tensor], call: str, saving: bool) -> list[torch.Tensor]:
    plan = plan_of(call, q, v)
    kernel = plan.kernel("forward" if saving else "inference", _kernels.expected(q, k))
    views, made = _views(plan, q, k, v, tensors), []
    inputs = dict(views)
    for name in plan.outputs(saving):
        made.append(torch.empty(kernel.shape(inputs, plan.values, name), dtype=getattr(torch, kernel.arguments[name].dtype), device=q.device))
        views[name] = _tensors.view(made[-1], name)
    kernel.launch(views, plan.values)
    return made


@attend_op.register_fake
def _(q, k, v, tensors, call, saving):
    plan = plan_of(call, q, v)
    kernel = plan.kernel("forward" if saving else "inference")
    blocks = kernel.description.get("block_q") or 1, kernel.description.get("block_k") or 1
    sizes = {"batch": q.shape[0], "head": q.shape[1], "kv_head": k.shape[1], "query": q.shape[2], "key": k.shape[2], "feature": v.shape[3],
             "query_block": (q.shape[2] + blocks[0] - 1) // blocks[0], "key_block": (k.shape[2] + blocks[1] - 1) // blocks[1]}
    made = []
    for name in plan.outputs(saving):
        one = kernel.arguments[name]
        shape = [sizes[axis] if axis in sizes else int(axis) for axis in one.axes]
        made.append(q.new_empty(shape, dtype=getattr(torch, one.dtype)))
    return made


@torch.library.custom_op("tercet::attend_backward", mutates_args=())
def attend_backward_op(do: torch.Tensor, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, tensors: list[torch.Tensor],
                       saved: list[torch.Tensor], call: str, gradients: list[int]) -> list[torch.Tensor]:
    plan = plan_of(call, q, v)
    kernel = plan.kernel("backward", _kernels.expected(q, k))
    do = do if do.stride(-1) == 1 else do.contiguous()
    views = {name: one for name, one in _views(plan, q, k, v, tensors).items() if name in kernel.arguments}
    views["do"] = _tensors.view(do, "do")
    kept = dict(zip(plan.outputs(True), saved))
    for argument, output in plan.saved.items():
        views[argument] = _tensors.view(kept[output], argument)
    made = _gradients(q, k, v, tensors, gradients)
    for name, one in zip(["q", "k", "v", *(plan.names[at] for at in gradients)], made):
        views[f"d{name}"] = _tensors.view(one, f"d{name}")
    kernel.launch(views, plan.values)
    return made


@attend_backward_op.register_fake
def _(do, q, k, v, tensors, saved, call, gradients):
    return _gradients(q, k, v, tensors, gradients)


def _gradients(q, k, v, tensors, gradients):
    return [one.new_empty(one.shape) for one in (q, k, v)] + [tensors[at].new_empty(tensors[at].shape, dtype=torch.float32) for at in gradients]


def _setup_context(ctx, inputs, output):
    q, k, v, tensors, call, saving = inputs
    ctx.call, ctx.count, ctx.saving = call, len(tensors), saving
    ctx.save_for_backward(q, k, v, *tensors, *output)


def _backward(ctx, grads):
    if not ctx.saving:
        raise RuntimeError("tercet::attend ran without what its backward needs: call it with saving=True where gradients are wanted")
    q, k, v, *others = ctx.saved_tensors
    tensors, saved = others[:ctx.count], others[ctx.count:]
    if grads[0] is None:
        return None, None, None, [None] * ctx.count, None, None
    plan = plan_of(ctx.call, q, v)
    able = [at for at, name in enumerate(plan.names) if tensors[at].requires_grad and f"d{name}" in plan.kernel("backward").arguments]
    dq, dk, dv, *rest = attend_backward_op(grads[0], q, k, v, tensors, saved, ctx.call, able)
    of_tensors = [None] * ctx.count
    for at, one in zip(able, rest):
        of_tensors[at] = one.to(tensors[at].dtype)
    return dq, dk, dv, of_tensors, None, None


attend_op.register_autograd(_backward, setup_context=_setup_context)


def attend(request, q, k, v, wanted):
    """tercet.attention on tensors that require gradients."""
    from ._attention import converted, token_views
    kernel = request.kernel(token_views(q.detach(), k.detach(), v.detach()), "forward")
    tensors = {}
    for name, array in request.tensors.items():
        tensor = array if isinstance(array, torch.Tensor) else torch.as_tensor(array)
        tensor = converted(kernel, name, tensor.reshape(1) if tensor.ndim == 0 else tensor)
        tensors[name] = tensor
    call = call_text(request.name, request.text, request.settings.items(), request.values, tensors, wanted, request.target)
    outputs = attend_op(q, k, v, list(tensors.values()), call, True)
    return [outputs[0], *(one.detach() for one in outputs[1:len(wanted)])]
