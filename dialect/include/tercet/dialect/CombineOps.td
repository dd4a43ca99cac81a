// project, combine: from branches to one output.
#ifndef TERCET_COMBINE_OPS_TD
#define TERCET_COMBINE_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_ProjectOp : Tercet_Op<"project", [InSpec, Pure]> {
  let summary = "O W^T + b: the learned projection of a linear branch";
  let description = [{
    `w` [value_dim, value_dim] and `b` [value_dim] are shared by all heads and applied in fp32; `b` is added to every row.
    At run time an absent `w` is the identity (with a warning), an absent `b` is 0. See docs/spec.md#project.

    | label | applies to | rule                                |
    |-------|------------|-------------------------------------|
    | C1    | `input`    | comes from `tercet.linear`          |
    | C2    | `w`, `b`   | arguments of the spec, used once    |

    Example:
    ```mlir
    tercet.spec @projected(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
      %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
      %l = tercet.linear %q, %k, %v feature_map(%phi)
      %o = tercet.project %l, %w, %b
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Branch:$input /*C1*/, Tercet_Weight:$w /*C2*/, Tercet_Weight:$b /*C2*/);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = "$input `,` $w `,` $b attr-dict";
  let hasVerifier = 1;
}

def Tercet_CombineOp : Tercet_Op<"combine", [InSpec, Pure]> {
  let summary = "one output from several branches: their sum, or their softmax under a joint denominator";
  let description = [{
    `sum` adds outputs, each normalised over its own set. `joint` merges softmax branches exactly by their log-sum-exp,
    as if all their terms had stood under one softmax. See docs/spec.md#combine.

    | label | applies to | rule                                                                      |
    |-------|------------|---------------------------------------------------------------------------|
    | C1    | `sum`      | a `sparse` branch and a `linear` (or projected linear) branch             |
    | C2    | `joint`    | a `sparse` branch and a `block_mean` branch with the same scale           |

    Example:
    ```mlir
    tercet.spec @sum(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
      %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
      %over = tercet.param linear_over = all : !tercet.static<keyword>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      %exact = tercet.sparse %q, %k, %v on %classes[critical]
      %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%over) feature_map(%phi)
      %proj = tercet.project %rest, %w, %b
      %o = tercet.combine sum(%exact, %proj)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_CombineKind:$kind, Variadic<Tercet_Branch>:$branches /*C1, C2*/);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = "$kind `(` $branches `)` attr-dict";
  let hasVerifier = 1;
}

#endif
