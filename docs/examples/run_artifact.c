/* Runs an artifact (of `tercet compile`, or of attention.c) on zeros with the runtime library alone, in C: every argument is made
   in the shape that the kernel asks for. Usage: run_artifact [artifact] */
#include <tercet/tercet.h>

#include <stdio.h>
#include <stdlib.h>

#define CHECK(call) ((call) == TERCET_OK ? (void)0 : (fprintf(stderr, "%s\n", tercet_error_message()), exit(1)))

enum { MOST = 32 };
static int64_t shapes[MOST][4] = {
    {1, 4, 256, 64}, {1, 4, 256, 64}, {1, 4, 256, 64}}; /* q, k and v choose; the last is compiled in */
static DLTensor tensors[MOST];
static tercet_named_tensor named[MOST];

int main(int count, char **arguments) {
  tercet_session *session;
  tercet_artifact *artifact;
  tercet_kernel *kernel;
  CHECK(tercet_session_create(NULL, &session));
  CHECK(tercet_artifact_load(count > 1 ? arguments[1] : "sla.tercet", &artifact));
  CHECK(tercet_load(session, artifact, "cpu", TERCET_INFERENCE, &kernel));

  tercet_call call = TERCET_CALL_INIT;
  call.tensors = named;
  for (size_t i = 0; i < tercet_kernel_argument_count(kernel) && i < MOST; ++i) {
    tercet_argument argument = TERCET_ARGUMENT_INIT;
    CHECK(tercet_kernel_argument(kernel, i, &argument));
    if (argument.is_optional)
      continue;
    tensors[i] = (DLTensor){NULL, {kDLCPU, 0}, argument.rank, argument.dtype, shapes[i], NULL, 0};
    if (i >= 3) /* the others follow from q, k and v */
      CHECK(tercet_kernel_shape(kernel, &call, argument.name, shapes[i], &tensors[i].ndim));
    size_t bytes = argument.dtype.bits / 8;
    for (int axis = 0; axis < argument.rank; ++axis)
      bytes *= (size_t)shapes[i][axis];
    tensors[i].data = calloc(bytes, 1);
    named[call.tensor_count++] = (tercet_named_tensor){argument.name, &tensors[i]};
  }
  CHECK(tercet_kernel_workspace(kernel, &call, &call.workspace_bytes));
  call.workspace = aligned_alloc(64, (call.workspace_bytes + 63) / 64 * 64);
  char *report;
  CHECK(tercet_launch(kernel, &call, &report));
  printf("%s\n", report);

  tercet_text_free(report);
  free(call.workspace);
  for (size_t i = 0; i < MOST; ++i)
    free(tensors[i].data);
  tercet_kernel_destroy(kernel);
  tercet_artifact_destroy(artifact);
  tercet_session_destroy(session);
}
