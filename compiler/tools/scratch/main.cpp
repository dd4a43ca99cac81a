#include "tercet/Jit.h"
#include "tercet/compiler/Frontend.h"
#include <cstdio>
#include <cstdlib>
#include <chrono>
#include <random>
#include <algorithm>
using namespace tercet;
int main(int argc, char **argv) {
  std::string name = argv[1]; int N = atoi(argv[2]), D = atoi(argv[3]), H = atoi(argv[4]), T = atoi(argv[5]), reps = atoi(argv[6]);
  Spec s; s.text = std::string(compiler::findBuiltinSpec(name)->text);
  for (int i = 7; i + 1 < argc; i += 2) s.settings[argv[i]] = argv[i + 1];
  Problem p{D, D, DType::f32, getenv("TGT") ? getenv("TGT") : "cpu"};
  if (const char *st = getenv("EMIT")) { auto r = emit(s, p, st); if (!r) { puts(r.status().message().c_str()); return 1; } FILE *f = fopen("/tmp/emit.out", "wb"); fwrite(r->bytes.data(), 1, r->bytes.size(), f); fclose(f); return 0; }
  auto se = Session::create({.threads = T, .useCache = false}, makeCompiler()); if (!se) return 1;
  CompileReport cr; auto k = (*se)->compile(s, p, &cr); if (!k) { printf("%s\n", k.status().message().c_str()); return 1; }
  printf("compile %.1f ms\n", cr.compileMs);
  size_t n = (size_t)H * N * D; auto al = [&](size_t n) { return (float *)aligned_alloc(2 << 20, (n * 4 + (2 << 20) - 1) >> 21 << 21); };
  float *q = al(n), *kk = al(n), *v = al(n), *o = al(n); std::mt19937 g(1); std::normal_distribution<float> nd; for (size_t i = 0; i < n; i++) { q[i] = nd(g); kk[i] = nd(g); v[i] = nd(g); }
  Arguments a; for (auto [nm, ptr] : {std::pair{"q", q}, {"k", kk}, {"v", v}, {"o", o}}) a.tensors.emplace_back(nm, Tensor::contiguous(ptr, DType::f32, {1, H, N, D}));
  float *w = al(D*D), *b = al(D); for (int i = 0; i < D*D; i++) w[i] = nd(g); for (int i=0;i<D;i++) b[i]=nd(g);
  if (name.substr(0,3) == "sla") { a.tensors.emplace_back("w", Tensor::contiguous(w, DType::f32, {D, D})); a.tensors.emplace_back("b", Tensor::contiguous(b, DType::f32, {D})); }
  auto ws = (*k)->workspaceBytes(a); if (!ws) { printf("%s\n", ws.status().message().c_str()); return 1; }
  printf("workspace %.1f MB, K %.1f MB\n", *ws / 1e6, n * 4 / 1e6); void *m = al(*ws / 4 + 64); size_t wb = *ws;
  std::vector<LaunchReport> rs(reps); 
  for (auto &r : rs) { auto st = (*k)->launch(a, m, wb, &r); if (!st.ok()) { printf("%s\n", st.message().c_str()); return 1; } }
  std::sort(rs.begin(), rs.end(), [](auto &x, auto &y) { return x.totalMs < y.totalMs; }); auto &r = rs[reps / 2];
  printf("%s N=%d D=%d H=%d T=%d: %.2f ms (best %.2f)", name.c_str(), N, D, H, T, r.totalMs, rs[0].totalMs); for (auto &[st, ms] : r.stageMs) printf(" %s %.2f", st.c_str(), ms); puts("");
}
