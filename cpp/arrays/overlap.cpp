#include "arrays/overlap.h"

#include <algorithm>
#include <map>
#include <utility>

#include "arrays/equation.h"

namespace gradstep {

namespace {

// ---- one array, and two ----

// The bytes of an array: runs of `run` bytes, placed by strides above `run`, the largest first.
struct placed_runs {
  uintptr_t low, high;
  int64_t run;
  std::vector<dimension> dimensions;
  bool repeats = false;  // an element lies on another, as its strides show at once

  explicit placed_runs(const touched_array& array)
      : low(extent_of(array).low), high(extent_of(array).high), run(format_of(array.type).bytes) {
    for (const dimension& each : array.dimensions) {
      if (each.size == 1) continue;
      if (each.stride == 0)
        repeats = true;
      else
        dimensions.push_back({each.size, std::abs(each.stride)});
    }
    std::sort(dimensions.begin(), dimensions.end(),
              [](const dimension& a, const dimension& b) { return a.stride > b.stride; });
    while (!dimensions.empty() && dimensions.back().stride <= run) {
      repeats |= dimensions.back().stride < run;
      run += (dimensions.back().size - 1) * dimensions.back().stride;
      dimensions.pop_back();
    }
  }

  // True if each dimension steps over all that the faster ones cover: then no element lies on another.
  bool steps_clear() const {
    int64_t covered = run;
    for (auto d = dimensions.rbegin(); d != dimensions.rend(); ++d) {
      if (d->stride < covered) return false;
      covered += (d->size - 1) * d->stride;
    }
    return true;
  }
};

// Asks if an element lies on another: for each dimension, one that is at least one step of it and none of the
// slower ones away.
answer repeats_itself(const placed_runs& x, patience& patience) {
  if (x.repeats) return answer::yes;
  if (x.steps_clear()) return answer::no;
  for (size_t first = 0; first < x.dimensions.size(); ++first) {
    const dimension& slowest = x.dimensions[first];
    std::vector<multiple> terms = {{slowest.stride, slowest.size - 2}};
    int64_t back = -slowest.stride;
    for (size_t d = first + 1; d < x.dimensions.size(); ++d) {
      const int64_t reach = x.dimensions[d].size - 1;
      terms.push_back({x.dimensions[d].stride, 2 * reach});  // from -reach to reach
      back += reach * x.dimensions[d].stride;
    }
    const answer found = equation(std::move(terms), 2 * (x.run - 1), patience).solve(back + x.run - 1);
    if (found != answer::no) return found;
  }
  return answer::no;
}

answer shares(const placed_runs& a, const placed_runs& b, patience& patience) {
  std::vector<multiple> terms;
  for (const placed_runs* each : {&a, &b})
    for (const dimension& d : each->dimensions) terms.push_back({d.stride, d.size - 1});
  // The second array is counted from its end, so that all terms have one sign.
  return equation(std::move(terms), a.run + b.run - 2, patience).solve(int64_t(b.high - 1 - a.low));
}

bool lie_alike(const touched_array& a, const touched_array& b) {
  const auto matters = [](const dimension& each) { return each.size != 1; };
  std::vector<dimension> mine, other;
  std::copy_if(a.dimensions.begin(), a.dimensions.end(), std::back_inserter(mine), matters);
  std::copy_if(b.dimensions.begin(), b.dimensions.end(), std::back_inserter(other), matters);
  return a.data == b.data && a.type == b.type && mine == other;
}

// ---- many ----

using group = std::vector<int>;  // places in the list of arrays

class search {
 public:
  explicit search(std::span<const touched_array> arrays)
      : arrays_(arrays), patience_(search_limit + 64 * int64_t(arrays.size())) {}

  std::optional<sharing_pair> run() {
    std::vector<extent> extents;
    group all;
    for (size_t i = 0; i < arrays_.size(); ++i) {
      extents.push_back(extent_of(arrays_[i]));
      if (!arrays_[i].empty()) all.push_back(int(i));
    }
    for (const int i : all)
      if (arrays_[size_t(i)].written) {
        const placed_runs alone(arrays_[size_t(i)]);
        const answer found = repeats_itself(alone, patience_);
        if (found != answer::no) return sharing_pair{i, i, found == answer::unsure};
      }
    split_by_address(std::move(all), [&](int i) { return extents[size_t(i)]; });
    while (!waiting_.empty()) {
      const group next = std::move(waiting_.back());
      waiting_.pop_back();
      if (!patience_.spend(int64_t(next.size())))
        return sharing_pair{std::min(next[0], next[1]), std::max(next[0], next[1]), true};
      if (next.size() > 3 && split_by_remainder(next)) continue;
      if (const auto found = find_pair(next)) return found;
    }
    return std::nullopt;
  }

 private:
  const placed_runs& runs(int i) {
    const auto known = runs_.find(i);
    return known != runs_.end() ? known->second : runs_.emplace(i, arrays_[size_t(i)]).first->second;
  }

  void wait(group&& members) {
    const auto is_written = [&](int i) { return arrays_[size_t(i)].written; };
    if (members.size() > 1 && std::any_of(members.begin(), members.end(), is_written))
      waiting_.push_back(std::move(members));
  }

  // Parts whose extents do not meet.
  template <class Extent>
  void split_by_address(group members, const Extent& extent_at) {
    std::sort(members.begin(), members.end(),
              [&](int a, int b) { return std::pair(extent_at(a).low, a) < std::pair(extent_at(b).low, b); });
    group part;
    uintptr_t high = 0;
    for (const int i : members) {
      const extent mine = extent_at(i);
      if (mine.low >= high) wait(std::exchange(part, {}));
      part.push_back(i);
      high = std::max(high, mine.high);
    }
    wait(std::move(part));
  }

  // Parts whose addresses leave different remainders when divided by a stride: columns, blocks of columns,
  // diagonals, every n-th element. False if no common stride separates them.
  bool split_by_remainder(const group& members) {
    for (const int64_t stride : frequent_strides(members)) {
      std::vector<group> parts = parts_by_remainder(members, stride);
      if (parts.size() < 2) continue;
      for (group& part : parts)
        split_by_address(std::move(part), [&](int i) { return extent{runs(i).low, runs(i).high}; });
      return true;
    }
    return false;
  }

  std::vector<int64_t> frequent_strides(const group& members) {
    constexpr size_t limit = 8;
    std::map<int64_t, int64_t> counts;
    for (const int i : members)
      for (const dimension& each : runs(i).dimensions) ++counts[each.stride];
    std::vector<std::pair<int64_t, int64_t>> found;  // how often, and the stride
    for (const auto& [stride, count] : counts) found.emplace_back(count, stride);
    std::sort(found.rbegin(), found.rend());
    if (found.size() > limit) found.resize(limit);
    std::vector<int64_t> strides;
    for (const auto& [count, stride] : found) strides.push_back(stride);
    return strides;
  }

  // The remainders that an array's addresses leave lie on an arc of a circle of this length. Parts are the
  // arcs that meet; one part if a whole circle is covered.
  std::vector<group> parts_by_remainder(const group& members, int64_t circle) {
    struct arc {
      int64_t first, last;  // the end lies beyond the circle where the arc runs over its start
      int member;
    };
    std::vector<arc> arcs;
    int64_t over_start = 0;
    for (const int i : members) {
      const placed_runs& x = runs(i);
      int64_t length = x.run;
      for (const dimension& each : x.dimensions)
        if (each.stride % circle != 0) length += (each.size - 1) * each.stride;
      if (length >= circle) return {};
      const auto first = int64_t(x.low % uintptr_t(circle));
      arcs.push_back({first, first + length, i});
      over_start = std::max(over_start, first + length - circle);
    }
    std::sort(arcs.begin(), arcs.end(), [](const arc& a, const arc& b) { return a.first < b.first; });
    std::vector<group> parts = {{}};
    int64_t end = over_start;
    for (const arc& each : arcs) {
      if (each.first >= end) parts.emplace_back();
      parts.back().push_back(each.member);
      end = std::max(end, each.last);
    }
    // An arc that runs over the start is in the last part, and so is all that begins under it.
    if (parts.size() > 1) parts.back().insert(parts.back().end(), parts[0].begin(), parts[0].end());
    parts.erase(parts.begin());
    return parts;
  }

  std::optional<sharing_pair> find_pair(const group& members) {
    for (size_t i = 0; i < members.size(); ++i) {
      const touched_array& a = arrays_[size_t(members[i])];
      if (!a.written) continue;
      for (size_t j = 0; j < members.size(); ++j) {
        const touched_array& b = arrays_[size_t(members[j])];
        if (i == j || (b.written && j < i)) continue;
        const auto [first, second] = std::minmax(members[i], members[j]);
        if (!patience_.spend()) return sharing_pair{first, second, true};
        if (!extent{runs(first).low, runs(first).high}.meets({runs(second).low, runs(second).high})) continue;
        if (a.mate >= 0 && a.mate == b.mate && lie_alike(a, b)) continue;
        const answer found = shares(runs(first), runs(second), patience_);
        if (found != answer::no) return sharing_pair{first, second, found == answer::unsure};
      }
    }
    return std::nullopt;
  }

  std::span<const touched_array> arrays_;
  patience patience_;
  std::map<int, placed_runs> runs_;  // of arrays whose extents meet others
  std::vector<group> waiting_;
};

}  // namespace

bool touched_array::empty() const {
  return std::any_of(dimensions.begin(), dimensions.end(), [](const dimension& d) { return d.size == 0; });
}

extent extent_of(const touched_array& array) {
  extent found = {uintptr_t(array.data), uintptr_t(array.data)};
  if (array.empty()) return found;
  found.high += uintptr_t(format_of(array.type).bytes);
  for (const dimension& each : array.dimensions) {
    const int64_t reach = (each.size - 1) * each.stride;
    (reach < 0 ? found.low : found.high) += uintptr_t(reach);
  }
  return found;
}

std::optional<sharing_pair> find_sharing(std::span<const touched_array> arrays) {
  return search(arrays).run();
}

extent_set::extent_set(std::vector<extent> extents) {
  std::sort(extents.begin(), extents.end(), [](const extent& a, const extent& b) { return a.low < b.low; });
  for (const extent& each : extents) {
    if (each.low == each.high) continue;
    if (!highs_.empty() && each.low <= highs_.back()) {
      highs_.back() = std::max(highs_.back(), each.high);
    } else {
      lows_.push_back(each.low);
      highs_.push_back(each.high);
    }
  }
}

bool extent_set::meets(const extent& other) const {
  const size_t at = size_t(std::upper_bound(highs_.begin(), highs_.end(), other.low) - highs_.begin());
  return at < lows_.size() && lows_[at] < other.high && other.low < other.high;
}

}  // namespace gradstep
