// Tokens in the order of tiles (docs/spec.md#token_order): rows gathered into places, of which each block has as many as a whole
// tile, and results scattered back. Places without a token hold zeros.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"

namespace tercet::dev {

/// Where tokens lie that are not of the grid.
enum : int { no_text, text_prefix, text_suffix };

/// Tiles of T x Y x X tokens.
template <int T, int Y, int X, int TEXT> struct TileOrder {
  static constexpr int block = T * Y * X;
  index grid_t, grid_y, grid_x, tokens, length; ///< tokens at or beyond the length are in no block

  TERCET_DEVICE index grid() const { return grid_t * grid_y * grid_x; }
  /// Text before the grid, and the first block behind it.
  TERCET_DEVICE index before() const { return TEXT == text_prefix ? tokens - grid() : 0; }
  TERCET_DEVICE index first_tile() const { return quotient(before() + block - 1, block); }

  /// A tile: its corner, and its sizes clipped at the edge of the grid.
  struct Tile {
    index t, y, x, depth, height, width;
  };
  TERCET_DEVICE Tile tile(index number) const {
    const index across = quotient(grid_x + X - 1, X), down = quotient(grid_y + Y - 1, Y);
    const index row = quotient(number, across);
    const index t = quotient(row, down) * T, y = remainder(row, down) * Y, x = remainder(number, across) * X;
    return {t, y, x, smaller(T, grid_t - t), smaller(Y, grid_y - y), smaller(X, grid_x - x)};
  }
  TERCET_DEVICE index tiles() const {
    return quotient(grid_t + T - 1, T) * quotient(grid_y + Y - 1, Y) * quotient(grid_x + X - 1, X);
  }

  /// How many tokens a block would have without a length.
  TERCET_DEVICE index whole(index number) const {
    const index of_tile = number - first_tile(), behind = of_tile - tiles();
    if (of_tile < 0)
      return smaller(block, before() - number * block);
    if (behind >= 0)
      return smaller(block, tokens - before() - grid() - behind * block);
    const Tile at = tile(of_tile);
    return at.depth * at.height * at.width;
  }

  /// How many tokens a block has. They ascend, so a length leaves the first ones.
  TERCET_DEVICE index count(index number) const {
    index low = 0, high = whole(number);
    if (length >= tokens || any_token(number, high - 1) < length)
      return high;
    while (low < high) { // of what is below the length
      const index middle = (low + high) / 2;
      if (any_token(number, middle) < length)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  /// The token at a place; -1 where there is none, or none below the length.
  TERCET_DEVICE index token(index place) const {
    const index found = any_token(place);
    return found < length ? found : -1;
  }

  /// The token at a place, -1 where there is none, whatever the length.
  TERCET_DEVICE index any_token(index place) const {
    const index number = quotient(place, block), inside = place - number * block;
    return inside < whole(number) ? any_token(number, inside) : -1;
  }

  /// Token `inside` of a block.
  TERCET_DEVICE index any_token(index number, index inside) const {
    const index of_tile = number - first_tile(), behind = of_tile - tiles();
    if (of_tile < 0)
      return number * block + inside;
    if (behind >= 0)
      return before() + grid() + behind * block + inside;
    const Tile at = tile(of_tile);
    const index line = quotient(inside, at.width), x = at.x + remainder(inside, at.width);
    const index t = at.t + quotient(line, at.height), y = at.y + remainder(line, at.height);
    return before() + (t * grid_y + y) * grid_x + x;
  }
};

/// Places that a block of threads moves.
enum : int { tile_part = 64 };

/// One row of COLS elements by a warp; a null `from` gives zeros.
template <int COLS, class Element> TERCET_DEVICE void move_row(Element *to, const Element *from) {
  constexpr int words = COLS * static_cast<int>(sizeof(Element)) / 4;
  for (int i = static_cast<int>(lane()); i < words; i += 32)
    reinterpret_cast<u32 *>(to)[i] = from == nullptr ? 0 : reinterpret_cast<const u32 *>(from)[i];
}

/// Part `item` of the places of a head, counted through all batches: to [batch][heads][places][COLS]; zeros of a null `from`. Written
/// for the first head, unless null: the tokens of places (-1: none), how many blocks have, and the places of the blocks that have some,
/// which are the first ones; tables of every batch entry. lengths: of batches, or null.
template <int THREADS, class Element, int COLS, int T, int Y, int X, int TEXT>
TERCET_DEVICE void gather_rows(index item, index head, Element *from, index batch_stride, index head_stride,
                               index row_stride, Element *to, i32 *counts, i32 *tokens_at, i32 *live_places,
                               const i32 *lengths, index heads, index places, index tokens, index grid_t, index grid_y,
                               index grid_x) {
  const index parts = ceil_div(places, tile_part), batch = quotient(item, parts), part = item - batch * parts;
  const TileOrder<T, Y, X, TEXT> order = {grid_t, grid_y, grid_x, tokens, live_tokens(lengths, batch, tokens)};
  const bool given = from != nullptr;
  from += head_offset(batch, batch_stride, head, head_stride);
  to += (batch * heads + head) * places * COLS;
  const index first = part * tile_part, end = smaller(first + tile_part, places);
  for (index place = first + warp(); place < end; place += THREADS / 32) {
    const index token = order.token(place);
    move_row<COLS>(to + place * COLS, token < 0 || !given ? nullptr : from + token * row_stride);
  }
  const index place = first + threadIdx.x;
  if (counts == nullptr || head != 0 || place >= end)
    return;
  tokens_at[batch * places + place] = static_cast<i32>(order.token(place));
  if (remainder(place, order.block) != 0)
    return;
  const index number = quotient(place, order.block), blocks = quotient(places, order.block);
  const index count = order.count(number);
  counts[batch * blocks + number] = static_cast<i32>(count);
  const bool last = count > 0 && (number + 1 == blocks || order.any_token(number + 1, 0) >= order.length);
  if (last || (number == 0 && count == 0))
    live_places[batch] = static_cast<i32>(last ? place + order.block : 0);
}

/// Back from places: an output of head gr of a group, where it is asked for (not null). Rows beyond the length get 0, or as LOGS
/// -infinity.
template <int THREADS, class Element, int COLS, int T, int Y, int X, int TEXT, bool LOGS>
TERCET_DEVICE void scatter_rows(index part, index gr, Element *from, Element *to, index batch_stride, index head_stride,
                                index row_stride, index key_heads, index heads_per_key_head, index first_pair,
                                index places, index tokens, const i32 *lengths, index grid_t, index grid_y,
                                index grid_x) {
  if (to == nullptr)
    return;
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const TileOrder<T, Y, X, TEXT> order = {grid_t, grid_y, grid_x, tokens, live_tokens(lengths, head.batch, tokens)};
  from += (head.batch * key_heads * heads_per_key_head + head.query_head) * places * COLS;
  to += head_offset(head.batch, batch_stride, head.query_head, head_stride);
  const index first = part * tile_part, end = smaller(first + tile_part, places);
  for (index place = first + warp(); place < end; place += THREADS / 32) {
    const index token = order.any_token(place);
    if (token < 0)
      continue;
    const bool live = token < order.length;
    move_row<COLS>(to + token * row_stride, live ? from + place * COLS : nullptr);
    if constexpr (LOGS)
      if (!live && lane() == 0)
        to[token * row_stride] = -infinity();
  }
}

} // namespace tercet::dev
