/* Runs an artifact (of `tercet compile`, or of attention.c) on zeros with the runtime library alone, in C: every argument is made
   in the shape that the kernel asks for. */
#include <tercet/tercet.h>

#include <stdio.h>
#include <stdlib.h>

static void check(tercet_status status) {
  if (status != TERCET_OK) {
    fprintf(stderr, "%s: %s\n", tercet_status_name(status), tercet_error_message());
    exit(1);
  }
}

int main(int count, char **arguments) {
  enum { MOST = 32 };
  static int64_t shapes[MOST][4];
  static DLTensor tensors[MOST];
  tercet_named_tensor named[MOST];
  tercet_session *session;
  tercet_artifact *artifact;
  tercet_kernel *kernel;
  check(tercet_session_create(NULL, &session));
  check(tercet_artifact_load(count > 1 ? arguments[1] : "sla.tercet", &artifact));
  check(tercet_load(session, artifact, "cpu", TERCET_INFERENCE, &kernel));

  tercet_call call = TERCET_CALL_INIT;
  call.tensors = named;
  for (size_t index = 0; index < tercet_kernel_argument_count(kernel) && index < MOST; ++index) {
    tercet_argument argument = TERCET_ARGUMENT_INIT;
    check(tercet_kernel_argument(kernel, index, &argument));
    if (argument.is_optional)
      continue;
    DLTensor *tensor = &tensors[index];
    tensor->dtype = argument.dtype, tensor->device.device_type = kDLCPU, tensor->shape = shapes[index];
    if (index < 3) { /* q, k and v choose batch, heads and tokens; the last axis is compiled in */
      int64_t chosen[4] = {1, 4, 256, 64};
      for (tensor->ndim = 0; tensor->ndim < 4; ++tensor->ndim)
        shapes[index][tensor->ndim] = chosen[tensor->ndim];
    } else {
      check(tercet_kernel_shape(kernel, &call, argument.name, shapes[index], &tensor->ndim));
    }
    size_t bytes = argument.dtype.bits / 8;
    for (int axis = 0; axis < tensor->ndim; ++axis)
      bytes *= (size_t)shapes[index][axis];
    tensor->data = calloc(bytes, 1);
    named[call.tensor_count].name = argument.name, named[call.tensor_count++].tensor = tensor;
  }
  check(tercet_kernel_workspace(kernel, &call, &call.workspace_bytes));
  call.workspace = aligned_alloc(64, (call.workspace_bytes + 63) / 64 * 64);
  char *report;
  check(tercet_launch(kernel, &call, &report));
  printf("%s\n", report);

  tercet_text_free(report);
  free(call.workspace);
  for (size_t index = 0; index < MOST; ++index)
    free(tensors[index].data);
  tercet_kernel_destroy(kernel);
  tercet_artifact_destroy(artifact);
  tercet_session_destroy(session);
  return 0;
}
