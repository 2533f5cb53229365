// Package scale decides how many workers a pool is to have, from what waits for them and how busy they are.
//
// # Promise
//
// [Policy.Step] is a pure function over values: time comes in with each sample, what it remembers is the [State] that it
// returns. It is total. Its answer is always between Min and Max, and differs from what there is only if
//
//   - more workers were needed for UpAfter without a break, or fewer for DownAfter, with a margin between the two, so that
//     a load which stays as it is moves the number in one direction and then never again;
//   - nothing replaces or adds workers meanwhile; and for fewer, all of them are ready. Too much work makes workers unready
//     or kills them, which is when more are needed.
//
// A removal after which there soon were too few is taken back, and not tried again for a while, which doubles each time:
// an empty queue does not tell how much busier the workers could be.
//
// # Concurrency
//
// Everything is a value.
package scale
