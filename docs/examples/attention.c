/* Compiles SLA for head dimension 64, runs it on the CPU, and keeps the artifact in a file, in C. Usage: attention [artifact] */
#include <tercet/tercet.h>

#include <stdio.h>
#include <stdlib.h>

#define CHECK(call) ((call) == TERCET_OK ? (void)0 : (fprintf(stderr, "%s\n", tercet_error_message()), exit(1)))
#define F32(data, rank, ...)                                                                                           \
  &(DLTensor) { data, {kDLCPU, 0}, rank, {kDLFloat, 32, 1}, (int64_t[]){__VA_ARGS__}, NULL, 0 }

enum { HEADS = 2, TOKENS = 300, DIM = 64 };
static float q[HEADS * TOKENS * DIM], k[HEADS * TOKENS * DIM], v[HEADS * TOKENS * DIM], o[HEADS * TOKENS * DIM];
static float w[DIM * DIM], b[DIM]; /* with zeros, the linear branch adds nothing */

int main(int count, char **arguments) {
  for (size_t i = 0; i < sizeof q / sizeof *q; ++i)
    q[i] = k[i] = v[i] = (float)(i * 2654435761u % 1000) / 1000 - 0.5f;

  tercet_session *session;
  CHECK(tercet_session_create(NULL, &session));
  tercet_spec spec = TERCET_SPEC_INIT;
  spec.name = "sla", spec.settings = &(tercet_setting){"keep", "0.1"}, spec.setting_count = 1;
  tercet_compile_options options = TERCET_COMPILE_OPTIONS_INIT;
  options.head_dim = DIM;
  tercet_kernel *kernel;
  CHECK(tercet_compile(session, &spec, &options, &kernel));

  tercet_named_tensor tensors[] = {{"q", F32(q, 4, 1, HEADS, TOKENS, DIM)},
                                   {"k", F32(k, 4, 1, HEADS, TOKENS, DIM)},
                                   {"v", F32(v, 4, 1, HEADS, TOKENS, DIM)},
                                   {"w", F32(w, 2, DIM, DIM)},
                                   {"b", F32(b, 1, DIM)},
                                   {"o", F32(o, 4, 1, HEADS, TOKENS, DIM)}};
  tercet_call call = TERCET_CALL_INIT;
  call.tensors = tensors, call.tensor_count = 6;
  CHECK(tercet_kernel_workspace(kernel, &call, &call.workspace_bytes));
  call.workspace = aligned_alloc(64, (call.workspace_bytes + 63) / 64 * 64);
  char *report;
  CHECK(tercet_launch(kernel, &call, &report));
  printf("o[0] = %f\n%s\n", o[0], report);

  tercet_artifact *artifact;
  CHECK(tercet_kernel_artifact(kernel, &artifact));
  CHECK(tercet_artifact_save(artifact, count > 1 ? arguments[1] : "sla.tercet")); /* for run_artifact.c */
  tercet_artifact_destroy(artifact);
  tercet_text_free(report);
  free(call.workspace);
  tercet_kernel_destroy(kernel);
  tercet_session_destroy(session);
}
