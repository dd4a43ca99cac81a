/* DlpackTypes: DLTensor and what it is made of, as DLPack defines them (github.com/dmlc/dlpack, versions 0.2 to 1.1 agree).
   A DLPack header that is included before, or found on the include path, is taken instead, so that a host that has one of its
   own sees one set of types. */
#ifndef TERCET_DLPACK_TYPES_H
#define TERCET_DLPACK_TYPES_H

#if !defined(DLPACK_DLPACK_H_) && defined(__has_include)
#if __has_include(<dlpack/dlpack.h>)
#include <dlpack/dlpack.h>
#endif
#endif

#ifndef DLPACK_DLPACK_H_
#include <stdint.h>

/** Where memory lies. Those that Tercet takes; DLPack has more. */
#ifdef __cplusplus
typedef enum : int32_t {
#else
typedef enum {
#endif
  kDLCPU = 1,
  kDLCUDA = 2,
  kDLCUDAHost = 3,
  kDLCUDAManaged = 13,
} DLDeviceType;

typedef struct {
  DLDeviceType device_type;
  int32_t device_id;
} DLDevice;

typedef enum {
  kDLInt = 0U,
  kDLUInt = 1U,
  kDLFloat = 2U,
  kDLBfloat = 4U,
} DLDataTypeCode;

typedef struct {
  uint8_t code; /**< DLDataTypeCode */
  uint8_t bits;
  uint16_t lanes; /**< 1 */
} DLDataType;

typedef struct {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides;     /**< in elements; NULL: row-major without gaps */
  uint64_t byte_offset; /**< of the first element from `data` */
} DLTensor;
#endif

#endif
