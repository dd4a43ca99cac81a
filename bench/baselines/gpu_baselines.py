"""Times other systems' attention on the shapes of a bundle, in one run beside tercet-run's: PyTorch's scaled dot product
attention (cuDNN and FlashAttention), FlexAttention (dense, and with a block mask of the kept fraction), and the Triton kernels
of SLA where the package `sparse_linear_attention` can be imported. Bfloat16, forward only.

    python3 gpu_baselines.py --table cases.json --device cuda:0 --json baselines.json --markdown baselines.md
"""
import argparse
import json
import math
import pathlib
import statistics

import torch
import torch.nn.functional as functional


def median_ms(call, repetitions):
    """Median over calls between two events, after warm-up; the L2 cache is emptied before each."""
    flush = torch.empty(256 << 20, dtype=torch.int8, device="cuda")
    for _ in range(3):
        call()
    times = []
    for _ in range(repetitions):
        flush.zero_()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


def tensors(shape):
    torch.manual_seed(0)
    make = lambda heads, tokens: torch.randn(shape["b"], heads, tokens, shape["d"], device="cuda", dtype=torch.bfloat16)
    return make(shape["h"], shape["n"]), make(shape["hkv"], shape["m"]), make(shape["hkv"], shape["m"])


def fused(backend):
    def make(shape, keep):
        if keep is not None:
            return None
        from torch.nn.attention import SDPBackend, sdpa_kernel
        q, k, v = tensors(shape)
        chosen = getattr(SDPBackend, backend)

        def call():
            with sdpa_kernel([chosen]):
                functional.scaled_dot_product_attention(q, k, v, enable_gqa=shape["h"] != shape["hkv"])
        return call
    return make


def flex(shape, keep):
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention
    q, k, v = tensors(shape)
    compiled = torch.compile(flex_attention)
    if keep is None:
        return lambda: compiled(q, k, v, enable_gqa=shape["h"] != shape["hkv"])
    block = 128
    rows, columns = math.ceil(shape["n"] / block), math.ceil(shape["m"] / block)
    scores = torch.rand(shape["h"], rows, columns, device="cuda")
    kept = scores.argsort(-1).argsort(-1) < max(1, round(keep * columns))
    mask = create_block_mask(lambda b, h, i, j: kept[h, i // block, j // block], shape["b"], shape["h"], shape["n"],
                             shape["m"], device="cuda", BLOCK_SIZE=block)
    return lambda: compiled(q, k, v, block_mask=mask, enable_gqa=shape["h"] != shape["hkv"])


def sla(shape, keep):
    if keep is None:
        return None
    from sparse_linear_attention import SparseLinearAttention
    q, k, v = tensors(shape)
    layer = SparseLinearAttention(head_dim=shape["d"], topk=keep, feature_map="softmax", BLKQ=64, BLKK=64).cuda()
    return lambda: layer(q, k, v)


SYSTEMS = {"SDPA cuDNN": fused("CUDNN_ATTENTION"), "SDPA FlashAttention": fused("FLASH_ATTENTION"), "FlexAttention": flex,
           "SLA Triton": sla}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--json", required=True)
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--largest", type=int, default=0, help="skip shapes of more tokens")
    parser.add_argument("--repetitions", type=int, default=20)
    options = parser.parse_args()
    torch.cuda.set_device(options.device)
    points = []
    for entry in json.loads(pathlib.Path(options.table).read_text())["benchmarks"]:
        point = (entry["shape"], entry["parameters"].get("keep"))
        if point not in points and (not options.largest or max(entry["shape"]["n"], entry["shape"]["m"]) <= options.largest):
            points.append(point)
    results = []
    for shape, keep in points:
        for system, make in SYSTEMS.items():
            result = {"system": system, "shape": shape, "keep": keep}
            try:
                call = make(shape, keep)
                if call is None:
                    continue
                with torch.no_grad():
                    result["ms"] = median_ms(call, options.repetitions)
            except Exception as error:  # a system that is not here, or refuses the shape, is a line of the table
                result["error"] = f"{type(error).__name__}: {error}".split("\n")[0][:200]
            results.append(result)
            print(result, flush=True)
            torch.cuda.empty_cache()
    device = torch.cuda.get_device_name()
    pathlib.Path(options.json).write_text(json.dumps({"device": device, "torch": torch.__version__, "results": results}, indent=1))
    lines = [f"# Other systems on {device}, torch {torch.__version__}", "",
             "| system | shape | kept | ms |", "|---|---|---|---|"]
    for result in results:
        shape = " ".join(f"{name}={result['shape'][name]}" for name in ["b", "h", "hkv", "n", "m", "d"])
        kept = "all" if result["keep"] is None else result["keep"]
        lines.append(f"| {result['system']} | {shape} | {kept} | {result.get('error') or format(result['ms'], '.3f')} |")
    pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
