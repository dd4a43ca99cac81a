#include "tercet/Jit.h"
#include "tercet/compiler/Frontend.h"
#include <cstdio>
#include <cstdlib>
using namespace tercet;
int main(int argc, char **argv) {
  Spec s; s.text = std::string(compiler::findBuiltinSpec(argv[1])->text);
  Problem p{atoi(argv[3]), atoi(argv[3]), DType::f32, argc > 4 ? argv[4] : "cpu"};
  for (int i = 0; i < 2; ++i) { auto r = emit(s, p, argv[2]);
  if (!r) { fprintf(stderr, "%s\n", r.status().message().c_str()); for (auto &[k, v] : r.status().notes()) fprintf(stderr, "%s: %s\n", k.c_str(), v.c_str()); return 1; }
  if (r->isText && i == 0) puts(r->bytes.c_str()); fprintf(stderr, "%zu bytes %.1f ms\n", r->bytes.size(), r->compileMs); }
}
