/* The C interface of Tercet: compile a spec or load an artifact once, launch it many times (docs/embedding.md).

   Two libraries have it. libtercet_runtime loads artifacts and runs them. libtercet is that and the compiler. A process needs
   one of them.

   Every function that can fail returns a tercet_status. On failure the sentence that says what was given, and what is legal, is
   kept for the calling thread: tercet_error_message. Nothing is thrown across this interface and nothing prints. Results go to
   the last parameters, which are written only on success (handles and texts are set to NULL on failure).

   A struct with options begins with its size, so that it can grow: begin with its _INIT value and set what you need; everything
   else is then 0, which is the default. Strings are UTF-8, end in 0 and are borrowed for the call. Sizes and strides of tensors
   are in elements.

   Handles may be used from many threads at once; only their destruction may not overlap with another use. */
#ifndef TERCET_TERCET_H
#define TERCET_TERCET_H

#include "tercet/DlpackTypes.h"
#include "tercet/Version.h"

#include <stddef.h>
#include <stdint.h>

#define TERCET_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong, by what the caller should do about it. */
typedef enum tercet_status {
  TERCET_OK = 0,
  TERCET_INVALID_SPEC = 1,       /**< the spec does not parse, verify or bind: fix it or its settings */
  TERCET_INVALID_ARGUMENT = 2,   /**< a tensor, size or option is wrong: fix the call */
  TERCET_UNSUPPORTED_TARGET = 3, /**< no code for this target or size: choose another */
  TERCET_COMPILE_FAILED = 4,     /**< a code generator failed on a legal program: a defect, please report */
  TERCET_CACHE_UNUSABLE = 5,     /**< the cache cannot be read or written; results are unaffected */
  TERCET_DEVICE_UNAVAILABLE = 6, /**< no such device or driver on this machine */
  TERCET_LAUNCH_FAILED = 7,      /**< the device refused or aborted the work */
  TERCET_INTERNAL = 8            /**< a broken promise inside Tercet, or no memory: please report */
} tercet_status;

/** What a kernel computes (docs/gradients.md#kernels). */
typedef enum tercet_direction {
  TERCET_INFERENCE = 0, /**< the outputs of the spec */
  TERCET_FORWARD = 1,   /**< and what the backward needs of them */
  TERCET_BACKWARD = 2   /**< gradients */
} tercet_direction;

typedef struct tercet_session tercet_session;   /**< threads, a cache, devices and perhaps a compiler */
typedef struct tercet_artifact tercet_artifact; /**< a compiled spec: what a file of `tercet compile` holds */
typedef struct tercet_kernel tercet_kernel;     /**< a compiled spec bound to a device, ready to launch; immutable */

/* ---- versions and errors ---- */

/** "0.1.0": of the library, where TERCET_VERSION_STRING is of the header. */
TERCET_API const char *tercet_version(void);
/** 1 if this library can compile, 0 if it only loads artifacts. */
TERCET_API int tercet_has_compiler(void);
/** "invalidArgument"; "unknown" for a number that is none. */
TERCET_API const char *tercet_status_name(tercet_status status);
/** Of the last call of this thread that failed: one sentence, perhaps with lines of source. Valid until the next failure. "" if none. */
TERCET_API const char *tercet_error_message(void);
/** Evidence beside the message, such as a compiler's log: pairs of a key and a value. */
TERCET_API size_t tercet_error_note_count(void);
TERCET_API tercet_status tercet_error_note(size_t index, const char **key, const char **value);
/** Frees a text that a function of this interface gave; NULL is allowed. */
TERCET_API void tercet_text_free(char *text);

/** Receives messages of the library, from any thread; must not call it. level: 1 warning, 2 information, 3 debugging. */
typedef void (*tercet_log_function)(void *user, int32_t level, const char *message);
/** For the whole process, messages up to `level`. A NULL function silences. */
TERCET_API tercet_status tercet_set_log(tercet_log_function function, void *user, int32_t level);

/* ---- specs ---- */

typedef struct tercet_setting {
  const char *name, *value; /**< of a parameter, as text: "keep", "0.1" */
} tercet_setting;

/** A spec: `name` of a built-in one, or `text` (MLIR); just one of them. */
typedef struct tercet_spec {
  size_t struct_size;
  const char *name;
  const char *text;
  const char *origin; /**< of a text, for messages: a file's name. NULL: "<spec>" */
  const tercet_setting *settings;
  size_t setting_count;
} tercet_spec;
#define TERCET_SPEC_INIT                                                                                               \
  { sizeof(tercet_spec), NULL, NULL, NULL, NULL, 0 }

/** The built-in specs: [{"name", "summary"}]. unsupportedTarget from a library without the compiler, as all of specs. */
TERCET_API tercet_status tercet_specs(char **json);
/** {"name", "text", "inputs", "optional_inputs", "outputs", "parameters": [{"name", "kind": "f64" | "i64" | "keyword" | "flag",
    "binds": "compile" | "launch", "value"}]} with the settings in force. Parameters that bind at launch never compile. */
TERCET_API tercet_status tercet_spec_describe(const tercet_spec *spec, char **json);

/* ---- sessions ---- */

/** One item of a loop; `worker` is unique among the items of one loop that run at the same time. */
typedef void (*tercet_work_item)(void *context, int64_t item, int32_t worker);
/** Runs item(context, i, worker) for i in [0, count) on the embedder's threads, and returns when all are done. */
typedef void (*tercet_parallel_for)(void *user, int64_t count, tercet_work_item item, void *context);

typedef struct tercet_session_options {
  size_t struct_size;
  int32_t threads;                  /**< of CPU kernels; 0: TERCET_THREADS, else all cores */
  int32_t no_cache;                 /**< 1: neither reads nor writes compiled artifacts on disk */
  const char *cache_directory;      /**< NULL: TERCET_CACHE_DIR, else the user's cache directory */
  tercet_parallel_for parallel_for; /**< NULL: threads of the session; else `worker` must lie in [0, threads) */
  void *parallel_for_user;
} tercet_session_options;
#define TERCET_SESSION_OPTIONS_INIT                                                                                    \
  { sizeof(tercet_session_options), 0, 0, NULL, NULL, NULL }

/** options may be NULL. */
TERCET_API tercet_status tercet_session_create(const tercet_session_options *options, tercet_session **session);
/** Waits for compilations in the background. Its kernels stay valid. NULL is allowed. */
TERCET_API void tercet_session_destroy(tercet_session *session);
/** {"threads", "compiles"}: compilations so far, not cache hits. */
TERCET_API tercet_status tercet_session_describe(const tercet_session *session, char **json);

/* ---- compiling ---- */

/** What binds at compile time besides the spec's static parameters. Batch, heads, lengths and strides do not. */
typedef struct tercet_compile_options {
  size_t struct_size;
  int64_t head_dim;
  int64_t value_dim;  /**< 0: head_dim */
  DLDataType dtype;   /**< of q, k and v: float32, float16 or bfloat16; all 0: float32 */
  const char *target; /**< "cpu", "cpu:v4", "cpu:v3", "cpu:portable", "cuda", "cuda:1"; NULL: "cpu" */
  tercet_direction direction;
  /** The calls to expect, for which tuned schedules are looked up; the kernel takes any other call, too. expected_queries 0: not
      known, and the default schedules. Of the others 0 is: one batch, one head, as many key heads as heads, as many keys as queries. */
  int64_t expected_batch, expected_heads, expected_key_heads, expected_queries, expected_keys;
  double expected_kept;  /**< the share of blocks that are computed exactly, from 0 to 1; 0: not known */
  int64_t deterministic; /**< not 0: the default schedules, whatever was tuned */
} tercet_compile_options;
#define TERCET_COMPILE_OPTIONS_INIT                                                                                    \
  { sizeof(tercet_compile_options), 0, 0, {0, 0, 0}, NULL, TERCET_INFERENCE, 0, 0, 0, 0, 0, 0, 0 }

/** Compiles, or takes what the session or the cache holds. Settings of runtime parameters become the kernel's defaults and
    compile nothing. A key is compiled once, however many threads and processes want it. */
TERCET_API tercet_status tercet_compile(tercet_session *session, const tercet_spec *spec,
                                        const tercet_compile_options *options, tercet_kernel **kernel);
/** Called once, from a thread of its own, when a compilation has ended: with TERCET_OK and a kernel that is the callee's now, or
    with a failure, whose message that thread has. It may call anything but tercet_session_destroy. */
typedef void (*tercet_compiled)(void *user, tercet_status status, tercet_kernel *kernel);
/** tercet_compile in the background. What is wrong with the structs is told at once, and `function` is not called then; all else
    it is told. tercet_session_destroy waits for it. Nothing of the structs is read after the return. */
TERCET_API tercet_status tercet_compile_async(tercet_session *session, const tercet_spec *spec,
                                              const tercet_compile_options *options, tercet_compiled function,
                                              void *user);
/** Compiles for a target that need not be here: also "sm_90a" and other architectures. Uses no cache. */
TERCET_API tercet_status tercet_compile_artifact(const tercet_spec *spec, const tercet_compile_options *options,
                                                 tercet_artifact **artifact);

/* ---- artifacts ---- */

TERCET_API tercet_status tercet_artifact_load(const char *path, tercet_artifact **artifact);
/** The bytes of such a file; they are copied. */
TERCET_API tercet_status tercet_artifact_read(const void *bytes, size_t size, tercet_artifact **artifact);
/** Written whole or not at all. */
TERCET_API tercet_status tercet_artifact_save(const tercet_artifact *artifact, const char *path);
/** {"spec", "digest", "compiler", "head_dim", "value_dim", "dtype", "targets", "backward_targets", "text"} */
TERCET_API tercet_status tercet_artifact_describe(const tercet_artifact *artifact, char **json);
TERCET_API void tercet_artifact_destroy(tercet_artifact *artifact);

/** Binds an artifact to a device: the best of its code that `target` (NULL: "cpu") can run. TERCET_BACKWARD takes the backward
    of an artifact that holds both; any other direction the program that it is for. The artifact may be destroyed then. */
TERCET_API tercet_status tercet_load(tercet_session *session, const tercet_artifact *artifact, const char *target,
                                     tercet_direction direction, tercet_kernel **kernel);

/* ---- kernels ---- */

TERCET_API void tercet_kernel_destroy(tercet_kernel *kernel);
/** The artifact that the kernel runs, for saving. */
TERCET_API tercet_status tercet_kernel_artifact(const tercet_kernel *kernel, tercet_artifact **artifact);
/** {"spec", "target", "module", "head_dim", "value_dim", "dtype", "compile_ms", "cache": "hit" | "miss" | "off", "arguments",
    "parameters", "block_q", "block_k", "schedule", "schedule_source": "default" | "database"} */
TERCET_API tercet_status tercet_kernel_describe(const tercet_kernel *kernel, char **json);

/** An argument of a kernel. Texts live as long as the kernel. */
typedef struct tercet_argument {
  size_t struct_size;
  const char *name;
  const char
      *role; /**< "query", "key", "value", "weight", "bias", "classes", "table", "query_lengths", "output", "lse", .. */
  int32_t is_output;
  int32_t is_optional;
  DLDataType dtype; /**< weights may have other dtypes, too */
  int32_t rank;
  /** What each axis counts: "batch", "head", "kv_head", "query", "key", "query_block", "key_block", "feature" (of values), "any",
      or a number. Named axes of tables, and batch and head of given classes, may also be 1. */
  const char *axes[4];
} tercet_argument;
#define TERCET_ARGUMENT_INIT                                                                                           \
  {                                                                                                                    \
    sizeof(tercet_argument), NULL, NULL, 0, 0, {0, 0, 0}, 0, { NULL, NULL, NULL, NULL }                                \
  }

/** A runtime parameter: a number that every call may give. Texts live as long as the kernel. */
typedef struct tercet_parameter {
  size_t struct_size;
  const char *name;
  double value; /**< when a call does not give it */
  int32_t is_integer;
  double minimum, maximum; /**< inclusive; both 0: unbounded */
} tercet_parameter;
#define TERCET_PARAMETER_INIT                                                                                          \
  { sizeof(tercet_parameter), NULL, 0, 0, 0, 0 }

/** 0 for NULL. In the spec's order, outputs last. */
TERCET_API size_t tercet_kernel_argument_count(const tercet_kernel *kernel);
TERCET_API tercet_status tercet_kernel_argument(const tercet_kernel *kernel, size_t index, tercet_argument *argument);
TERCET_API size_t tercet_kernel_parameter_count(const tercet_kernel *kernel);
TERCET_API tercet_status tercet_kernel_parameter(const tercet_kernel *kernel, size_t index,
                                                 tercet_parameter *parameter);
/** The output of `forward` that `backward` takes as its argument `input`; NULL: what the caller has anyway. */
TERCET_API tercet_status tercet_kernel_saved_output(const tercet_kernel *forward, const tercet_kernel *backward,
                                                    const char *input, const char **output);

/* ---- calls ---- */

/** A tensor by the name of its argument. Absent optional arguments are left out, or have NULL here. */
typedef struct tercet_named_tensor {
  const char *name;
  const DLTensor *tensor;
} tercet_named_tensor;

typedef struct tercet_named_value {
  const char *name;
  double value;
} tercet_named_value;

/** The arguments of one call. Tensors are borrowed and never copied: host memory on a CPU, memory of the kernel's device on a
    GPU. Outputs are given as tensors, too, and written in full. */
typedef struct tercet_call {
  size_t struct_size;
  const tercet_named_tensor *tensors;
  size_t tensor_count;
  const tercet_named_value *parameters; /**< runtime parameters; those left out keep the kernel's defaults */
  size_t parameter_count;
  void *workspace; /**< 64-byte aligned (128 on a GPU) memory of the device, for this call alone */
  size_t workspace_bytes;
  void *stream; /**< tercet_enqueue: a CUstream; NULL: the default stream */
} tercet_call;
#define TERCET_CALL_INIT                                                                                               \
  { sizeof(tercet_call), NULL, 0, NULL, 0, NULL, 0, NULL }

/** The shape that argument `name` has beside q, k and v of the call: for outputs, which need not be in it. `data` of tensors is
    not read and may be NULL. */
TERCET_API tercet_status tercet_kernel_shape(const tercet_kernel *kernel, const tercet_call *call, const char *name,
                                             int64_t shape[4], int32_t *rank);
/** Bytes of workspace that the call needs. `data` of tensors is not read and may be NULL; outputs may be left out. */
TERCET_API tercet_status tercet_kernel_workspace(const tercet_kernel *kernel, const tercet_call *call, size_t *bytes);
/** Checks everything, runs, returns when outputs are written. Allocates no device memory. report: NULL, or where {"ms", "stages":
    [{"stage", "ms", "flop"}], "blocks": {"kept", "linear", "skipped"}} goes. Nothing is written on TERCET_INVALID_ARGUMENT. */
TERCET_API tercet_status tercet_launch(const tercet_kernel *kernel, const tercet_call *call, char **report);
/** On a GPU: queues on call->stream and returns, without a wait, a lock or a device allocation, so it may be captured into a
    graph. Tensors and workspace are in use until the stream has passed it. On a CPU: tercet_launch. */
TERCET_API tercet_status tercet_enqueue(const tercet_kernel *kernel, const tercet_call *call);

#ifdef __cplusplus
}
#endif

#endif
