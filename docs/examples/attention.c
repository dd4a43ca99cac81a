/* Compiles SLA for head dimension 64 and runs it on the CPU, in C. With a path: keeps the artifact there. */
#include <tercet/tercet.h>

#include <stdio.h>
#include <stdlib.h>

static void check(tercet_status status) {
  if (status != TERCET_OK) {
    fprintf(stderr, "%s: %s\n", tercet_status_name(status), tercet_error_message());
    exit(1);
  }
}

enum { HEADS = 2, TOKENS = 300, DIM = 64 };

static DLTensor tensor(int64_t *shape, int32_t rank) { /* filled with small numbers */
  size_t count = 1;
  for (int axis = 0; axis < rank; ++axis)
    count *= (size_t)shape[axis];
  float *data = malloc(count * sizeof *data);
  for (size_t i = 0; i < count; ++i)
    data[i] = (float)(i * 2654435761u % 1000) / 1000 - 0.5f;
  DLTensor result = {data, {kDLCPU, 0}, rank, {kDLFloat, 32, 1}, shape, NULL, 0};
  return result;
}

int main(int count, char **arguments) {
  tercet_session *session;
  check(tercet_session_create(NULL, &session));

  tercet_spec spec = TERCET_SPEC_INIT;
  tercet_setting settings[] = {{"keep", "0.1"}};
  spec.name = "sla", spec.settings = settings, spec.setting_count = 1;
  tercet_compile_options options = TERCET_COMPILE_OPTIONS_INIT;
  options.head_dim = DIM;
  tercet_kernel *kernel;
  check(tercet_compile(session, &spec, &options, &kernel));

  int64_t tokens[] = {1, HEADS, TOKENS, DIM}, weight[] = {DIM, DIM}, bias[] = {DIM};
  DLTensor q = tensor(tokens, 4), k = tensor(tokens, 4), v = tensor(tokens, 4), o = tensor(tokens, 4);
  DLTensor w = tensor(weight, 2), b = tensor(bias, 1);
  tercet_named_tensor tensors[] = {{"q", &q}, {"k", &k}, {"v", &v}, {"w", &w}, {"b", &b}, {"o", &o}};
  tercet_call call = TERCET_CALL_INIT;
  call.tensors = tensors, call.tensor_count = 6;
  check(tercet_kernel_workspace(kernel, &call, &call.workspace_bytes));
  call.workspace = aligned_alloc(64, (call.workspace_bytes + 63) / 64 * 64);

  char *report;
  check(tercet_launch(kernel, &call, &report));
  printf("o[0] = %f\n%s\n", ((float *)o.data)[0], report);
  tercet_text_free(report);

  if (count > 1) {
    tercet_artifact *artifact;
    check(tercet_kernel_artifact(kernel, &artifact));
    check(tercet_artifact_save(artifact, arguments[1]));
    tercet_artifact_destroy(artifact);
  }
  DLTensor *all[] = {&q, &k, &v, &o, &w, &b};
  for (int i = 0; i < 6; ++i)
    free(all[i]->data);
  free(call.workspace);
  tercet_kernel_destroy(kernel);
  tercet_session_destroy(session);
  return 0;
}
