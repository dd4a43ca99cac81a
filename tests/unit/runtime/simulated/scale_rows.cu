// The source of scale_rows.ptx (NVRTC, sm_80): the kernel of the sample plan, one parameter per slot.
extern "C" __global__ void __launch_bounds__(128)
    scale_rows(const float *q, float *o, float *lse, const char *rows, double keep, long long first_pair, long long pairs,
               long long first_slice, long long slices, long long depth, long long q_stride, long long lse_present) {
  long long head = first_pair * 2 + blockIdx.x;
  float factor = (float)slices * (float)keep;
  if (threadIdx.x < 20)
    o[head * 20 + threadIdx.x] += factor * q[head * 20 + threadIdx.x];
  if (lse_present && threadIdx.x < 5)
    lse[head * 5 + threadIdx.x] += (float)slices * (float)rows[0];
}
