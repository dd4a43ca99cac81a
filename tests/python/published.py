"""Score and mask functions of the kinds that users of FlexAttention publish, each written once for NumPy and PyTorch (`xp`).

A case is a function of (xp, array, shape) that gives (score_mod, mask_mod, arrays with gradients); `array` makes an array of xp, and
shape is (batch, heads, queries, keys). The plain evaluation calls the same functions on whole arrays."""
import math

import numpy

import tercet

CASES = {}


def case(build):
    CASES[build.__name__] = build
    return build


def _causal(b, h, q_idx, kv_idx):
    return q_idx >= kv_idx


@case
def causal(xp, array, shape):
    return None, _causal, []


@case
def causal_with_offsets(xp, array, shape):
    offset = array(numpy.arange(shape[0]) * 7)
    return None, lambda b, h, q_idx, kv_idx: q_idx + offset[b] >= kv_idx, []


@case
def sliding_window(xp, array, shape):
    window = tercet.runtime(37)

    def near(b, h, q_idx, kv_idx):
        return q_idx - kv_idx < window
    return None, tercet.and_masks(_causal, near), []


@case
def alibi(xp, array, shape):
    heads = shape[1]

    def score_mod(score, b, h, q_idx, kv_idx):
        return score + xp.exp2(-((h + 1) * 8.0 / heads)) * (kv_idx - q_idx)
    return score_mod, _causal, []


@case
def alibi_of_a_tensor(xp, array, shape):
    slopes = array(numpy.linspace(0.01, 0.5, shape[1]).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score - slopes[h] * xp.abs(q_idx - kv_idx), None, [slopes]


@case
def softcap(xp, array, shape):
    cap = tercet.runtime(3.0)
    return lambda score, b, h, q_idx, kv_idx: cap * xp.tanh(score / cap), None, []


@case
def softcap_of_a_scalar(xp, array, shape):
    cap = array(numpy.float32(2.5).reshape(()))
    return lambda score, b, h, q_idx, kv_idx: cap * xp.tanh(score / cap), _causal, [cap]


@case
def relative_bias(xp, array, shape):
    last = shape[3] - 1
    bias = array(numpy.random.default_rng(1).standard_normal((shape[1], shape[2] + shape[3] - 1)).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score + bias[h, q_idx - kv_idx + last], None, [bias]


@case
def relative_bias_from_the_end(xp, array, shape):
    bias = array(numpy.random.default_rng(1).standard_normal((shape[1], shape[2] + shape[3] - 1)).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score + bias[h, kv_idx - q_idx], None, [bias]


@case
def distance_buckets(xp, array, shape):
    """The buckets of T5 (arXiv 1910.10683): near distances one by one, far ones by their logarithm."""
    buckets, exact, far = 16, 8, 101
    bias = array(numpy.random.default_rng(2).standard_normal((buckets, shape[1])).astype(numpy.float32))
    as_integer = (lambda x: x.astype(numpy.int64)) if xp is numpy else (lambda x: x.to(xp.int64))

    def bucket(q_idx, kv_idx):
        distance = xp.clip(q_idx - kv_idx, 0, None)
        log = xp.log(xp.clip(distance, 1, None) / exact) / math.log(far / exact) * (buckets - exact)
        return xp.where(distance < exact, distance, xp.clip(exact + as_integer(log), 0, buckets - 1))
    return lambda score, b, h, q_idx, kv_idx: score + bias[bucket(q_idx, kv_idx), h], _causal, [bias]


@case
def prefix_lm(xp, array, shape):
    prefix = array(numpy.arange(shape[0]) * 20 + 5)
    return None, tercet.or_masks(_causal, lambda b, h, q_idx, kv_idx: kv_idx < prefix[b]), []


@case
def documents(xp, array, shape):
    document = array(numpy.sort(numpy.random.default_rng(3).integers(0, 4, max(shape[2:]))))
    return None, tercet.and_masks(_causal, lambda b, h, q_idx, kv_idx: document[q_idx] == document[kv_idx]), []


@case
def jagged_documents(xp, array, shape):
    """A window in every document of a packed sequence, by offsets (as nested tensors have them)."""
    offsets = array(numpy.array([0, 31, 90, max(shape[2:])]))
    document = array(numpy.repeat(numpy.arange(3), numpy.diff([0, 31, 90, max(shape[2:])])))

    def inside(b, h, q_idx, kv_idx):
        own = q_idx - offsets[document[q_idx]]
        other = kv_idx - offsets[document[kv_idx]]
        return (document[q_idx] == document[kv_idx]) & (own >= other) & (own - other < 20)
    return None, inside, []


@case
def dilated_window(xp, array, shape):
    return None, lambda b, h, q_idx, kv_idx: (abs(q_idx - kv_idx) <= 40) & ((q_idx - kv_idx) % 4 == 0), []


@case
def neighbourhood(xp, array, shape):
    """Neighbourhoods on a grid of rows of 15 tokens, moved inwards at the edges (NATTEN, arXiv 2204.07143)."""
    width, reach = 15, 2
    height = shape[3] // width

    def near(b, h, q_idx, kv_idx):
        x, y = xp.clip(q_idx % width, reach, width - 1 - reach), xp.clip(q_idx // width, reach, height - 1 - reach)
        return (abs(x - kv_idx % width) <= reach) & (abs(y - kv_idx // width) <= reach)
    return None, near, []


@case
def shifted_windows(xp, array, shape):
    """Tiles of a grid and a bias by offset inside of them (Swin, arXiv 2103.14030)."""
    width, tile = 15, 5
    bias = array(numpy.random.default_rng(4).standard_normal(((2 * tile - 1) ** 2, shape[1])).astype(numpy.float32))

    def same_tile(b, h, q_idx, kv_idx):
        return (q_idx % width // tile == kv_idx % width // tile) & (q_idx // width // tile == kv_idx // width // tile)

    def score_mod(score, b, h, q_idx, kv_idx):
        right = q_idx % width % tile - kv_idx % width % tile + tile - 1
        down = q_idx // width % tile - kv_idx // width % tile + tile - 1
        return score + bias[down * (2 * tile - 1) + right, h]
    return score_mod, same_tile, [bias]


@case
def temperature_per_head(xp, array, shape):
    warmth = array(numpy.linspace(0.5, 1.5, shape[1]).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score * warmth[h], None, [warmth]


@case
def full_bias(xp, array, shape):
    bias = array(numpy.random.default_rng(5).standard_normal(shape).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score + bias[b, h, q_idx, kv_idx], None, [bias]


@case
def broadcast_bias(xp, array, shape):
    bias = array(numpy.random.default_rng(5).standard_normal((1, shape[2], shape[3])).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score + bias[0, q_idx, kv_idx], None, [bias]


@case
def global_tokens_and_window(xp, array, shape):
    def mask_mod(b, h, q_idx, kv_idx):
        return (abs(q_idx - kv_idx) < 16) | (kv_idx < 3) | (q_idx < 3)
    return None, mask_mod, []


@case
def random_blocks(xp, array, shape):
    chosen = array(numpy.random.default_rng(6).random((shape[1], -(-shape[2] // 16), -(-shape[3] // 16))) < 0.4)
    return None, lambda b, h, q_idx, kv_idx: chosen[h, q_idx // 16, kv_idx // 16] | (q_idx == kv_idx), []


@case
def block_causal(xp, array, shape):
    return None, lambda b, h, q_idx, kv_idx: q_idx // 24 >= kv_idx // 24, []


@case
def sinks_and_window(xp, array, shape):
    return None, lambda b, h, q_idx, kv_idx: _causal(b, h, q_idx, kv_idx) & ((kv_idx < 4) | (q_idx - kv_idx <= 30)), []


@case
def images_in_text(xp, array, shape):
    """Causal, but the tokens of an image see each other."""
    image = numpy.full((shape[0], max(shape[2:])), -1)
    image[:, 20:50], image[:, 70:95] = 0, 1
    image = array(image)
    return None, lambda b, h, q_idx, kv_idx: (q_idx >= kv_idx) | ((image[b, q_idx] == image[b, kv_idx]) & (image[b, q_idx] >= 0)), []


@case
def window_per_head(xp, array, shape):
    window = array(numpy.array([4, 16, 40, 200])[numpy.arange(shape[1]) % 4])
    return None, lambda b, h, q_idx, kv_idx: (q_idx >= kv_idx) & (q_idx - kv_idx < window[h]), []


@case
def padded_keys(xp, array, shape):
    length = array(numpy.array([90, shape[3]])[numpy.arange(shape[0]) % 2])
    return lambda score, b, h, q_idx, kv_idx: xp.where(kv_idx < length[b], score, -math.inf), None, []


@case
def kernelised_distance(xp, array, shape):
    """A logarithmic bias (KERPLE, arXiv 2205.09921)."""
    p = array(numpy.linspace(0.2, 1.0, shape[1]).astype(numpy.float32))
    a = array(numpy.linspace(0.1, 2.0, shape[1]).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score - p[h] * xp.log1p(a[h] * xp.abs(q_idx - kv_idx)), _causal, [p, a]


@case
def decay(xp, array, shape):
    """Scores that fade with distance (RetNet's decay, arXiv 2307.08621, on scores)."""
    rate = array(numpy.linspace(0.005, 0.05, shape[1]).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score * xp.exp(-rate[h] * (q_idx - kv_idx)), _causal, [rate]


@case
def forgetting(xp, array, shape):
    """Differences of running sums of forget gates (arXiv 2503.02130)."""
    total = array(numpy.cumsum(-numpy.random.default_rng(7).random((shape[0], shape[1], max(shape[2:]))) / 20, axis=-1).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score + total[b, h, q_idx] - total[b, h, kv_idx], _causal, [total]


@case
def gated_scores(xp, array, shape):
    gate = array(numpy.random.default_rng(8).standard_normal((shape[0], shape[3])).astype(numpy.float32))
    return lambda score, b, h, q_idx, kv_idx: score / (1 + xp.exp(-gate[b, kv_idx])) + xp.where((q_idx - kv_idx) % 2 == 0, 0.5, 0.0), None, [gate]


@case
def graph_distances(xp, array, shape):
    """A bias by the distance of nodes of a graph and means over the edges of a path (Graphormer, arXiv 2106.05234)."""
    rng, (batch, heads, queries, keys) = numpy.random.default_rng(9), shape
    distance = array(rng.integers(0, 5, (batch, queries, keys)).astype(numpy.int32))
    near = array(rng.standard_normal((heads, 5)).astype(numpy.float32))
    kinds = [array(rng.integers(0, 3, (batch, queries, keys)).astype(numpy.int32)) for _ in range(2)]
    of_kind = [array(rng.standard_normal((heads, 3)).astype(numpy.float32)) for _ in range(2)]

    def score_mod(score, b, h, q_idx, kv_idx):
        total = 0.0
        for step, (kind, weight) in enumerate(zip(kinds, of_kind)):
            total = total + xp.where(distance[b, q_idx, kv_idx] > step, weight[h, kind[b, q_idx, kv_idx]], 0.0)
        return score + near[h, distance[b, q_idx, kv_idx]] + total / xp.clip(distance[b, q_idx, kv_idx], 1, None)
    return score_mod, None, [near, *of_kind]


@case
def groups_of_tokens(xp, array, shape):
    """A mask inside of groups of tokens, which it sees at their places in the group."""
    size = 39
    return None, lambda b, h, q_idx, kv_idx: (q_idx // size == kv_idx // size) & _causal(b, h, q_idx % size, kv_idx % size), []


@case
def activation_of_scores(xp, array, shape):
    """Another function in place of the exponential, by its logarithm."""
    return lambda score, b, h, q_idx, kv_idx: xp.log(1 / (1 + xp.exp(-score)) + 1.0), None, []
