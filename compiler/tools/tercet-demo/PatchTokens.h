// PatchTokens: non-local means written as attention.
//
// Non-local means (Buades, Coll, Morel 2005) replaces a pixel by the mean of all pixels, weighted by how alike their
// surroundings are: exp(-|p - p'|^2 / h^2) for the patches p, p' around them. With
//   |p - p'|^2 = |p|^2 - 2 p.p' + |p'|^2
// the first term is one factor for all keys of a query, which the softmax divides out. What is left is attention with
//   q = (sqrt(2)/h p, 1),   k = (sqrt(2)/h p', -|p'|^2/h^2),   v = the pixel,   scale = 1.
#pragma once

#include "Photo.h"

#include <cstdint>
#include <vector>

namespace tercet::demo {

/// A patch is the 21 pixels with x^2 + y^2 <= 5, which with three channels and the key-norm term fill 64 features.
constexpr int64_t headDim = 64;
/// Tokens go tile by tile, so that a block of 64 tokens is a piece of 8 x 8 pixels: alike inside, and as a block.
constexpr int64_t tileSide = 8, blockTokens = tileSide * tileSide;

/// Tokens of one photo, row-major: q, k [count, headDim], v [count, channels].
struct PatchTokens {
  int64_t count = 0;
  std::vector<float> q, k, v;
};

struct Pixel {
  int64_t x = 0, y = 0;
};

/// The pixel of a token in a photo of this width, a multiple of tileSide. Tiles go along rows, as pixels in a tile do.
Pixel pixelOfToken(int64_t token, int64_t width);

/// Features and values of every pixel. bandwidth: h^2 above, > 0, for unnormalised squared distances. The photo's mean
/// colour is subtracted from the patches, which no distance notices and which keeps the scores small; beyond the border
/// the photo is mirrored. Width and height are multiples of tileSide.
PatchTokens patchTokens(const Photo &photo, double bandwidth);

/// Puts values [tokens, channels] back to their pixels.
Photo photoFromTokens(const std::vector<float> &values, int64_t width, int64_t height);

} // namespace tercet::demo
