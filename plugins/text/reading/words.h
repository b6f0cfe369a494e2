#pragma once

/// From what a person types to the words a model knows, and back to the person's own spelling.
///
/// The models are trained on corpora that come tokenised in the manner of the Penn Treebank: lower case, `did n't`,
/// `it 's`, `can not`, `$ _num_`, quotes as `` `` `` and `''`. `split_words` writes any text that way and remembers where
/// each word came from; `rewrite` carries edits of the words back into the text with its capitals and its spaces.
///
///     const std::string text = "The food wasn't BAD, I'll be back!!";
///     const auto words = split_words(text);     // the food was n't bad , i 'll be back !
///     rewrite(text, words, {{WordEdit::Kind::replace, 4, "great"}});  // The food wasn't GREAT, I'll be back!!
///     rewrite(text, words, {{WordEdit::Kind::remove, 3, ""}});        // The food was BAD, I'll be back!!
///
/// Threads: all functions are pure and may be called from any number of threads. Nothing process-wide is touched.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace whynot::text {

/// One word as the model sees it.
struct Word {
    std::string text;  ///< as the corpus writes it: lower case, `_num_` for a number
    size_t begin = 0;  ///< first byte of the person's own text that it came from
    size_t end = 0;    ///< one past the last; equal to `begin` where an earlier word took the same bytes
};

/// The longest text `split_words` takes, in bytes.
constexpr size_t max_text_bytes = 64 * 1024;

/// Splits a text into words the way the corpora have them.
///
/// - NFKC and case folding character by character; control and zero-width characters go; curly quotes, long dashes and
///   accents used as apostrophes become the corpus's `` `` ``, `''`, `--`, `-` and `'`.
/// - Contractions part (`did n't`, `ca n't`, `i 've`, `can not`, `gon na`), also where the apostrophe is left out (`dont` is `do n't`). A slash
///   between two words of three letters or more parts them (`rude / slow`); hyphens and other slashes stay (`check-in`, `and/or`), so do `9:30`, `1/2`, `3pm`, `24/7` and `dr.`; whole and decimal numbers become `_num_`; other punctuation stands alone.
/// - A run such as `!!!` or `?!` is one word, `!` or `?`, and a run of dots is `...`: the corpus has no such runs.
/// - Emoji stay whole, one word each. Scripts written without spaces are split by ICU's dictionaries.
/// - Text already tokenised in the corpus's manner comes back unchanged, save for the last two, and that a full stop is always split off.
///
/// @throws Error invalid_input when the text is not UTF-8 (naming the byte), has no word in it, or is longer than
///         `max_text_bytes`.
std::vector<Word> split_words(std::string_view utf8);

/// The words' texts alone.
std::vector<std::string> texts(const std::vector<Word>& words);

/// One change of a list of words. Positions count in the list before any change.
struct WordEdit {
    enum class Kind {
        replace,  ///< the word at `position` becomes `to`
        remove,   ///< the word at `position` goes
        insert,   ///< `to` comes before the word at `position`; at the end where `position` is the number of words
    };
    Kind kind = Kind::replace;
    size_t position = 0;
    std::string to;  ///< one word as the model writes it; ignored by `remove`
};

/// The list of words after the edits. Several insertions at one position keep their order.
/// @throws Error invalid_argument for a position outside the list, or one that is replaced or removed twice.
std::vector<std::string> apply_edits(const std::vector<std::string>& words, const std::vector<WordEdit>& edits);

/// Whether a text can spell `word` so that `split_words` gives it back: true of `good`, `n't`, `...`; false of `good.`.
/// What is not writable must not be put into a sentence that a person reads and the classifier is asked about afresh.
bool writable(const std::string& word);

/// Whether a word is written without a space before it: `n't`, `'s`, `.`.
bool joins_the_word_before(const std::string& word);

/// The person's text with the edits in it, everything else as it was spelled. A replacement takes the capitals of the
/// word it replaces, but not that of a name: one capital within a sentence counts where most words of the text have one; the capital of a sentence's first word moves when that word goes or another comes before it;
/// spaces follow the text's own habit. Splitting the result gives `apply_edits(texts(words), edits)` exactly: where no spelling
/// near the person's does (rare), spaces are put around the edits, and as a last resort the model's own words are written.
/// `_num_` has no number to show and is written as it is.
/// @param words what `split_words(original)` gave
/// @throws Error invalid_argument as `apply_edits` does, when a word is not `writable`, or when no word would be left.
std::string rewrite(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits);

/// The same for terminals and logs, with what went as `-[old]-` and what came as `+[new]+`.
std::string marked(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits);

}  // namespace whynot::text
