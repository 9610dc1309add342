# Ran out of time: half of it answered, one function prints and returns nothing, one raises, one is a constant.

# %% linear_forward
def linear_forward(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    print(D @ W)

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    dE_dD = B @ W.T
    return dE_dD, dE_dW

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    return np.ones(B.shape), len(B) * np.ones(B.shape[1])

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    return np.full(D.shape, 0.5)

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    return A * (1 - A)
