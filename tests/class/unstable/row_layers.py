# Takes formulas from textbooks as they stand: no care for overflow or log 0, means where the book has them, matrices left flat.

# %% linear_forward
def linear_forward(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return np.dot(D, W) / W.shape[0]

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return np.kron(D, np.eye(W.shape[1])), np.kron(np.eye(D.shape[0]), W.T)

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return B @ W.T, D.T @ B / D.shape[0]

# %% linear_backward_proof [markdown]
# Flattened row by row, $J_W = D \otimes I_n$ and $J_D = I_N \otimes W^\top$. Then
# $(D \otimes I_n)^\top \mathrm{vec}(B) = (D^\top \otimes I_n) \mathrm{vec}(B) = \mathrm{vec}(D^\top B)$ and
# $(I_N \otimes W) \mathrm{vec}(B) = \mathrm{vec}(B W^\top)$, by the rule for vec of a product of three matrices.

# %% bias_forward
def bias_forward(D, b):
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    return np.add(D, b)

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    return B, np.mean(B, axis=0)

# %% bias_proof [markdown]
# The bias is added to each of the $N$ samples. The loss is a mean over samples, so its gradient is the mean of the rows of $B$.

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    return np.exp(D) / (np.exp(D) + 1)

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    t = -np.log(1 / A - 1)
    return B * np.exp(-t) / (1 + np.exp(-t)) ** 2

# %% sigmoid_proof [markdown]
# Quotient rule on $e^t/(1 + e^t)$: $\sigma' = \frac{e^t (1 + e^t) - e^{2t}}{(1 + e^t)^2} = \frac{e^t}{(1 + e^t)^2} = \sigma (1 - \sigma)$.
