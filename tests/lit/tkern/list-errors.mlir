// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// Lists of super rows: an entry is neither a key block nor a count, and only consumers pass one over.

// entry_block C1
tkern.kernel @entry_block_c1(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C1: takes apart a value that is not read from a list of 32-bit integers}}
  %block = tkern.entry_block %i
  tkern.end
}

// -----
// entry_takes C1: bytes are no entries.
tkern.kernel @entry_takes_c1(%i: index, %g: index, %u: index, %list: !tkern.pointer<i8>) {
  tkern.roles producer registers 24 {
  } consumers 2 registers 240 {
    %worker = tkern.worker
    %entry = tkern.read %list[%i] : !tkern.pointer<i8> -> index
    // expected-error @+1 {{C1: takes apart a value that is not read from a list of 32-bit integers}}
    %takes = tkern.entry_takes %entry by %worker
  }
  tkern.end
}

// -----
// entry_takes C2: the producer loads every entry.
tkern.kernel @entry_takes_c2(%i: index, %g: index, %u: index, %list: !tkern.pointer<i32>) {
  tkern.roles producer registers 24 {
    %entry = tkern.read %list[%i] : !tkern.pointer<i32> -> index
    // expected-error @+1 {{C2: stands outside the consumer region}}
    %takes = tkern.entry_takes %entry by %i
  } consumers 2 registers 240 {
  }
  tkern.end
}
