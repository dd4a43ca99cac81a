// SweepCases: small calls that walk over head dimensions and block sizes, by designs that are the same in every run. dtypes
// walk along, and specs where several are given.
//
// The designs are diagonals of a grid: (a, 5 a + c modulo n) has every row and every column of an n x n grid once, and the n
// diagonals are the grid.
#pragma once

#include "Case.h"

namespace tercet::test {

using SpecNames = std::vector<std::string>; ///< that take turns

/// Beside sla and dense, what meets a head dimension in another way: means as keys and values, feature maps of a masked
/// linear branch, a score region under a mask, sums over anti-diagonals, centred scores.
inline const SpecNames dimensionSpecs = {"block_mean", "causal_sla", "softcap", "sampled", "guarded"};
/// Beside sla, with a block size each of queries and keys: means, masks by token and by block, scores from outside, ranks
/// by mass.
inline const SpecNames blockSpecs = {"block_mean", "moba", "xattention", "routed", "ranked:top_mass"};

/// Head and value dimensions 1, 2 .. 256: 16 cases of 256, in which all residues modulo 16 of the one meet all of the other.
/// A diagonal has every residue and every number of 16-column tiles of both once.
std::vector<Case> dimensionCases(const SpecNames &specs, int diagonal);

/// Head and value dimensions 8, 16 .. 256, those that a GPU takes: 32 cases of 32 x 32. Diagonal `equalDimensions` has
/// both equal.
constexpr int equalDimensions = -1;
std::vector<Case> chunkDimensionCases(const SpecNames &specs, int diagonal);

/// Block sizes 16, 32 .. 256 of queries and of keys: 16 cases of 16 x 16.
std::vector<Case> blockCases(const SpecNames &specs, int diagonal);

/// What warpgroups take: dimensions in steps of 64 (16 cases); blocks of 64, 128 and 256 queries, of keys in steps of 64
/// (12 cases).
std::vector<Case> warpgroupDimensionCases(const SpecNames &specs);
std::vector<Case> warpgroupBlockCases(const SpecNames &specs);

/// The cases first, first + step ..
std::vector<Case> everyNth(const std::vector<Case> &cases, size_t first, size_t step);

} // namespace tercet::test
