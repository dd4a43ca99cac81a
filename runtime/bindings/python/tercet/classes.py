"""Block classes from what other systems hand around: int8 arrays [batch, heads, query blocks, key blocks] of +1 for blocks that are
computed and -1 for those that are not, for the argument `classes` of every spec that classifies (docs/spec.md#classes)."""
from .errors import InvalidArgument


def from_kv_blocks(kv_num_blocks, kv_indices, full_kv_num_blocks=None, full_kv_indices=None):
    """The lists of a FlexAttention BlockMask: counts [B, H, rows] and key blocks [B, H, rows, columns], of partial and of full blocks."""
    import numpy
    counts, indices = _array(kv_num_blocks), _array(kv_indices)
    if indices.shape[:-1] != counts.shape or indices.ndim != 4:
        raise InvalidArgument(f"kv_indices {list(indices.shape)} are [B, H, rows, columns] and kv_num_blocks {list(counts.shape)} [B, H, rows]")
    classes = numpy.full(indices.shape, -1, numpy.int8)
    _set_listed(classes, counts, indices)
    if full_kv_num_blocks is not None:
        _set_listed(classes, _array(full_kv_num_blocks), _array(full_kv_indices))
    return classes


def from_bsr(indptr, indices, rows=None, columns=None):
    """Rows of blocks in compressed form, as scipy.sparse.bsr_matrix has them: one map for all, or per batch entry and head in front."""
    import numpy
    indptr, indices = _array(indptr), _array(indices)
    rows = indptr.shape[-1] - 1 if rows is None else rows
    if indptr.shape[-1] != rows + 1 or indptr.shape[:-1] != indices.shape[:-1]:
        raise InvalidArgument(f"indptr {list(indptr.shape)} has rows + 1 = {rows + 1} entries, and the same axes in front as indices {list(indices.shape)}")
    columns = int(indices.max()) + 1 if columns is None else columns
    if indices.size and not 0 <= indices.min() <= indices.max() < columns:
        raise InvalidArgument(f"indices from {indices.min()} to {indices.max()} name none of {columns} columns")
    front = (1,) * (3 - indptr.ndim) + indptr.shape[:-1]
    classes = numpy.full((*front, rows, columns), -1, numpy.int8)
    flat = classes.reshape(-1, rows, columns)
    for one, (starts, listed) in enumerate(zip(indptr.reshape(-1, rows + 1), indices.reshape(len(flat), -1))):
        if starts[0] != 0 or (numpy.diff(starts) < 0).any() or starts[-1] > len(listed):
            raise InvalidArgument(f"indptr runs from 0 upwards to at most {len(listed)} indices; given: {starts[0]} .. {starts[-1]}")
        flat[one, numpy.repeat(numpy.arange(rows), numpy.diff(starts)), listed[:starts[-1]]] = 1
    return classes


def from_dense(blocks):
    """A boolean per block pair, [rows, columns] or with heads and batch in front."""
    import numpy
    blocks = _array(blocks)
    if not 2 <= blocks.ndim <= 4:
        raise InvalidArgument(f"a map of blocks has 2 to 4 axes; given: {list(blocks.shape)}")
    return numpy.where(blocks.astype(bool), 1, -1).astype(numpy.int8).reshape((1,) * (4 - blocks.ndim) + blocks.shape)


def _set_listed(classes, counts, indices):
    import numpy
    columns = indices.shape[-1]
    listed = numpy.arange(columns) < counts[..., None]
    where = numpy.nonzero(listed)
    named = indices[listed]
    if named.size and not 0 <= named.min() <= named.max() < columns:
        raise InvalidArgument(f"kv_indices from {named.min()} to {named.max()} name none of {columns} key blocks")
    classes[where[:3] + (named,)] = 1


def _array(thing):
    import numpy
    return numpy.asarray(thing.detach().cpu() if hasattr(thing, "detach") else thing)
