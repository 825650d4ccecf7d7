// What every reader hands out: the views of one file together with everything that keeps their bytes alive.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weights/tensor_view.h"

namespace crane::weights {

class StoredWeights final : public WeightFile {
 public:
  StoredWeights(std::string path, const char* container, std::shared_ptr<const void> owner)
      : path_(std::move(path)), container_(container), owner_(std::move(owner)) {}

  const std::string& path() const override { return path_; }
  const char* container() const override { return container_; }
  const std::vector<TensorView>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  void verify_checksums() const override {
    if (verify_) verify_();
  }

  void add_tensor(TensorView view) { tensors_.push_back(std::move(view)); }
  void add_metadata(std::string key, std::string value) {
    metadata_.insert_or_assign(std::move(key), std::move(value));
  }
  // A text or number that lies among the tensors of a pickle. Long texts, and notes beyond some thousands,
  // are dropped: the lists of a training state are no metadata.
  void add_note(std::string key, std::string value) {
    static constexpr size_t k_max_notes = 4096;
    static constexpr size_t k_max_note_bytes = 4096;
    if (metadata_.size() < k_max_notes && value.size() <= k_max_note_bytes) {
      add_metadata(std::move(key), std::move(value));
    }
  }
  // Bytes that had to be brought into row-major order; they live as long as this object.
  std::byte* allocate(size_t bytes) {
    return buffers_.emplace_back(std::make_unique<std::byte[]>(bytes)).get();
  }
  void on_verify(std::function<void()> verify) { verify_ = std::move(verify); }

 private:
  std::string path_;
  const char* container_;
  std::shared_ptr<const void> owner_;  // the mapping that the views point into
  std::vector<std::unique_ptr<std::byte[]>> buffers_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
  std::function<void()> verify_;
};

}  // namespace crane::weights
