#include "text/prompt_checkpoint.h"

#include "core/error.h"
#include "weights/checker.h"

namespace crane::text {
namespace {

constexpr std::string_view k_prefixes[] = {"", "prompt_learner."};

constexpr weights::NameRow k_rows[] = {
    {"ctx_pos", "ctx_pos"},
    {"ctx_neg", "ctx_neg"},
    {"compound_prompts_text.#", "compound_prompts_text.#"},
    {"token_prefix_pos", "token_prefix_pos"},
    {"token_prefix_neg", "token_prefix_neg"},
    {"token_suffix_pos", "token_suffix_pos"},
    {"token_suffix_neg", "token_suffix_neg"},
    {"tokenized_prompts_pos", "tokenized_prompts_pos"},
    {"tokenized_prompts_neg", "tokenized_prompts_neg"},
};

// Linear maps that the module of AnomalyCLIP holds and never uses.
constexpr std::string_view k_ignored[] = {"compound_prompt_projections.*"};

constexpr weights::Family k_family = {"prompts", k_prefixes, k_rows, k_ignored};

bool is_there(const weights::CanonicalWeights& weights) {
  return weights::has_any(weights, "ctx_") || weights::has_any(weights, "compound_prompts_text.");
}

void check(const weights::CanonicalWeights& weights, const weights::Structure& towers) {
  check_prompts(weights, towers.text ? towers.text->width : 0);
}

}  // namespace

const weights::CheckpointKind k_prompt_checkpoint = {&k_family, is_there, check};

PromptStructure check_prompts(const weights::CanonicalWeights& weights, int64_t text_width) {
  weights::Checker checker(weights);
  PromptStructure prompts;
  const weights::CanonicalTensor& ctx = checker.floating("ctx_pos");
  if (ctx.shape.size() != 4 || ctx.shape[0] != 1 || ctx.shape[1] != 1 || ctx.shape[2] < 1 ||
      ctx.shape[3] < 1) {
    checker.fail(ctx, weights::shape_text(ctx.shape), "[1, 1, n, w]");
  }
  prompts.context_vectors = ctx.shape[2];
  prompts.width = ctx.shape[3];
  const std::string because = weights::as_in(ctx);
  const int64_t w = prompts.width;
  check_input(text_width == 0 || w == text_width, "E_PROMPTS", ctx.where(), " is ",
              weights::shape_text(ctx.shape), ", expected a last axis of ", text_width,
              ", the width of the text tower");
  checker.floating("ctx_neg", {1, 1, prompts.context_vectors, w}, because);

  prompts.deep_sets = weights::count_numbered(weights, "compound_prompts_text.");
  for (int64_t n = 0; n < prompts.deep_sets; ++n) {
    const weights::CanonicalTensor& deep = checker.floating(join_text("compound_prompts_text.", n));
    if (deep.shape.size() != 2 || deep.shape[0] < 1)
      checker.fail(deep, weights::shape_text(deep.shape), join_text("[m, ", w, "]"));
    if (n == 0) prompts.deep_tokens = deep.shape[0];
    checker.expect(deep, {prompts.deep_tokens, w}, because);
  }
  // More of them would take the places of words, and of the end that a text is read at.
  check_input(prompts.deep_tokens <= prompts.context_vectors, "E_PROMPTS", ctx.where(), " is ",
              weights::shape_text(ctx.shape), ", and ", prompts.deep_tokens,
              " deep tokens (compound_prompts_text) do not lie within so few rows");
  prompts.parameters = checker.parameters();

  prompts.has_token_ids = weights::has_any(weights, "tokenized_prompts_");
  if (prompts.has_token_ids) {
    const weights::CanonicalTensor& ids = checker.integer("tokenized_prompts_pos");
    if (ids.shape.size() != 3 || ids.shape[2] < 1)
      checker.fail(ids, weights::shape_text(ids.shape), "[1, 1, n]");
    checker.expect(ids, {1, 1, ids.shape[2]});
    checker.expect(checker.integer("tokenized_prompts_neg"), {1, 1, ids.shape[2]}, weights::as_in(ids));
  }
  prompts.has_token_rows =
      weights::has_any(weights, "token_prefix_") || weights::has_any(weights, "token_suffix_");
  if (prompts.has_token_rows) {
    checker.floating("token_prefix_pos", {1, 1, 1, w}, because);
    checker.floating("token_prefix_neg", {1, 1, 1, w}, because);
    const weights::CanonicalTensor& suffix = checker.floating("token_suffix_pos");
    if (suffix.shape.size() != 4)
      checker.fail(suffix, weights::shape_text(suffix.shape), join_text("[1, 1, n, ", w, "]"));
    checker.expect(suffix, {1, 1, suffix.shape[2], w}, because);
    checker.floating("token_suffix_neg", {1, 1, suffix.shape[2], w}, weights::as_in(suffix));
  }
  return prompts;
}

}  // namespace crane::text
