// How each format is decoded and encoded, on each CPU target, against a reference in double arithmetic.
#include "arrays.h"

using namespace checks;
using gradstep::arithmetic, gradstep::storage_entry, gradstep::target;

namespace {

constexpr dtype short_formats[] = {dtype::f16, dtype::bf16};

template <class T>
constexpr int place_of = sizeof(T) == 8;  // among the functions, which are sorted by arithmetic

gradstep::planes run_of(const std::vector<uint16_t>& bits) {
  return {const_cast<char*>(reinterpret_cast<const char*>(bits.data())), nullptr};
}

template <class T>
std::vector<T> decoded(const target& on, dtype type, const std::vector<uint16_t>& bits) {
  std::vector<T> made(bits.size());
  on.storages[int(type)].decode[place_of<T>](run_of(bits), made.data(), int64_t(bits.size()));
  return made;
}

template <class T>
std::vector<uint16_t> encoded(const target& on, dtype type, const std::vector<T>& numbers) {
  std::vector<uint16_t> made(numbers.size());
  on.storages[int(type)].encode[place_of<T>](numbers.data(), run_of(made), int64_t(numbers.size()));
  return made;
}

bool is_nan(uint16_t bits, dtype type) { return (bits & 0x7fff) > short_float_of(type).infinity; }

std::vector<uint16_t> every_pattern() {
  std::vector<uint16_t> all(1 << 16);
  std::iota(all.begin(), all.end(), uint16_t(0));
  return all;
}

// Every number of the format, what is half way to the next one, the neighbours of both, and any others.
template <class T>
std::vector<T> numbers_to_round(dtype type) {
  random_numbers random(5);
  std::vector<T> made = {T(0),
                         T(-0.0),
                         T(INFINITY),
                         T(-INFINITY),
                         std::numeric_limits<T>::max(),
                         std::numeric_limits<T>::denorm_min()};
  for (const uint16_t bits : every_pattern()) {
    const double here = decode(bits, type), next = decode(uint16_t(bits + 1), type);
    if (!std::isfinite(here)) continue;
    // Beyond the largest number lies what would be the next one.
    const double far = std::isfinite(next) ? next : 2 * here - decode(uint16_t(bits - 1), type);
    for (const T x : {T(here), T((here + far) / 2)})
      for (const T near : {x, std::nextafter(x, T(INFINITY)), std::nextafter(x, T(-INFINITY))})
        made.push_back(near);
  }
  for (int i = 0; i < 100'000; ++i) {
    T any;
    const uint64_t bits = random.bits();
    std::memcpy(&any, &bits, sizeof any);
    if (any == any) made.push_back(any);
  }
  return made;
}

template <class T>
void check_decoding(const target& on, dtype type) {
  const std::vector<uint16_t> all = every_pattern();
  const std::vector<T> found = decoded<T>(on, type, all);
  int wrong = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const double expected = decode(all[i], type);
    wrong += std::isnan(expected)
                 ? !std::isnan(found[i])
                 : double(found[i]) != expected || std::signbit(found[i]) != std::signbit(expected);
  }
  CHECK_EQ(wrong, 0);
  const std::vector<uint16_t> back = encoded(on, type, found);
  for (size_t i = 0; i < all.size(); ++i)
    wrong += is_nan(all[i], type) ? !is_nan(back[i], type) : back[i] != all[i];
  CHECK_EQ(wrong, 0);
}

template <class T>
void check_rounding(const target& on, dtype type) {
  const std::vector<T> numbers = numbers_to_round<T>(type);
  const std::vector<uint16_t> found = encoded(on, type, numbers);
  int wrong = 0;
  for (size_t i = 0; i < numbers.size(); ++i) wrong += found[i] != encode(double(numbers[i]), type);
  CHECK_EQ(wrong, 0);
}

// Of runs of any length, from any address on; nothing else is written.
template <class T>
void check_runs(const target& on, dtype type) {
  const int64_t bytes = bytes_of(type);
  const storage_entry& storage = on.storages[int(type)];
  random_numbers random(6);
  for (int64_t n = 0; n < 70; ++n) {
    std::vector<T> numbers(size_t(n) + 1, T(7)), back = numbers;
    for (int64_t i = 0; i < n; ++i) numbers[size_t(i)] = T(random.uniform());
    std::vector<char> stored(size_t((n + 1) * bytes + 1), '\x5a');
    storage.encode[place_of<T>](numbers.data(), {stored.data() + 1, nullptr}, n);
    for (int64_t i = 0; i < n; ++i) {
      double expected = 0;
      set_number(&expected, type, double(numbers[size_t(i)]));
      CHECK_EQ(number_at(stored.data() + 1 + i * bytes, type), number_at(&expected, type));
    }
    CHECK(std::all_of(stored.end() - bytes, stored.end(), [](char byte) { return byte == '\x5a'; }));
    storage.decode[place_of<T>]({stored.data() + 1, nullptr}, back.data(), n);
    for (int64_t i = 0; i < n; ++i)
      CHECK_EQ(back[size_t(i)], T(number_at(stored.data() + 1 + i * bytes, type)));
    CHECK_EQ(back.back(), T(7));
  }
}

}  // namespace

TEST(every_pattern_is_decoded_and_encoded_back) {
  on_each_target([](const target& on) {
    for (const dtype type : short_formats) {
      check_decoding<float>(on, type);
      check_decoding<double>(on, type);
    }
  });
}

TEST(floats_are_rounded_to_nearest_even) {
  on_each_target([](const target& on) {
    for (const dtype type : short_formats) check_rounding<float>(on, type);
  });
}

TEST(doubles_are_rounded_once) {
  on_each_target([](const target& on) {
    for (const dtype type : short_formats) check_rounding<double>(on, type);
  });
}

TEST(every_format_is_converted_in_runs_of_any_length) {
  on_each_target([](const target& on) {
    for (const dtype type : every_dtype) {
      check_runs<float>(on, type);
      check_runs<double>(on, type);
    }
  });
}

TEST(nan_stays_nan) {
  on_each_target([](const target& on) {
    for (const dtype type : short_formats) {
      std::vector<float> all(33, std::numeric_limits<float>::quiet_NaN());
      for (const uint32_t bits : {0x7f800001u, 0xff800001u, 0x7fffffffu, 0xffffffffu}) {
        all.push_back(same_bits_as<float>(bits));
        for (const uint16_t found : encoded(on, type, all)) CHECK(is_nan(found, type));
        for (const uint16_t found : encoded(on, type, std::vector<double>{double(all.back())}))
          CHECK(is_nan(found, type));
      }
    }
  });
}
